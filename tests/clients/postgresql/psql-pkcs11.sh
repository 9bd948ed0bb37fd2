psql "host=localhost dbname=postgres user=app sslmode=verify-full
    sslrootcert=/var/lib/signet/live/app/ca.pem
    sslcert=/var/lib/signet/live/app/fullchain.pem sslkey='pkcs11:pkcs11:token=Signet;object=app;type=private'" \
    -c "SELECT 'hello ' || current_user"
