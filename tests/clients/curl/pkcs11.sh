curl --cacert /var/lib/signet/live/app/ca.pem \
    --cert 'pkcs11:token=Signet;object=app;type=cert' --key 'pkcs11:token=Signet;object=app;type=private' \
    https://server.example.org/
