psql "host=localhost dbname=postgres user=app sslmode=verify-full
    sslrootcert=/var/lib/signet/live/app/ca.pem
    sslcert=/var/lib/signet/live/app/fullchain.pem sslkey=/var/lib/signet/live/app/key.pem" \
    -c "SELECT 'hello ' || current_user"
