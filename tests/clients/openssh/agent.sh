ssh-add -s /usr/lib/x86_64-linux-gnu/pkcs11/signet-pkcs11.so
