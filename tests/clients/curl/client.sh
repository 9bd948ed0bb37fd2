curl --cacert /var/lib/signet/live/app/ca.pem \
    --cert /var/lib/signet/live/app/fullchain.pem --key /var/lib/signet/live/app/key.pem \
    https://server.example.org/
