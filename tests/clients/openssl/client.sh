openssl s_client -connect server.example.org:443 -quiet \
    -CAfile /var/lib/signet/live/app/ca.pem -verify_return_error \
    -cert /var/lib/signet/live/app/cert.pem -key /var/lib/signet/live/app/key.pem
