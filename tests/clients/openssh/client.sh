ssh -o PKCS11Provider=/usr/lib/x86_64-linux-gnu/pkcs11/signet-pkcs11.so user@server.example.org id -un
