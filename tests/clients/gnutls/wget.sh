wget -O - --ca-certificate=/var/lib/signet/live/app/ca.pem \
    --certificate='pkcs11:token=Signet;object=app;type=cert' \
    --private-key='pkcs11:token=Signet;object=app;type=private' https://server.example.org/
