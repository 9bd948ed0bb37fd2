modutil -dbdir sql:$HOME/.pki/nssdb -add signet -libfile /usr/lib/x86_64-linux-gnu/pkcs11/signet-pkcs11.so -force
