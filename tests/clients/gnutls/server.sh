gnutls-serv --provider signet-pkcs11.so --http --x509cafile /var/lib/signet/live/web/ca.pem \
    --x509certfile 'pkcs11:token=Signet;object=web;type=cert' \
    --x509keyfile 'pkcs11:token=Signet;object=web;type=private' --require-client-cert --verify-client-cert -p 443
