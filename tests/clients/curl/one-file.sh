curl --cacert /var/lib/signet/live/app/ca.pem --cert /var/lib/signet/live/app/identity.pem https://server.example.org/
