gnutls-cli --provider signet-pkcs11.so --x509cafile /var/lib/signet/live/app/ca.pem \
    --x509certfile 'pkcs11:token=Signet;object=app;type=cert' \
    --x509keyfile 'pkcs11:token=Signet;object=app;type=private' -p 443 server.example.org
