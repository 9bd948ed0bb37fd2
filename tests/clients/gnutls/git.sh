git -c http.sslCAInfo=/var/lib/signet/live/app/ca.pem \
    -c http.sslCert='pkcs11:token=Signet;object=app;type=cert' \
    -c http.sslKey='pkcs11:token=Signet;object=app;type=private' \
    clone https://server.example.org/project.git
