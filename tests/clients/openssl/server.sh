openssl s_server -accept 443 -www \
    -cert /var/lib/signet/live/web/cert.pem \
    -key /var/lib/signet/live/web/key.pem \
    -CAfile /var/lib/signet/live/web/ca.pem -Verify 2 -verify_return_error
