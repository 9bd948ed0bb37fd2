mosquitto_pub -h server.example.org -p 8883 -t greeting -m hello -q 1 \
    --cafile /var/lib/signet/live/app/ca.pem \
    --cert /var/lib/signet/live/app/fullchain.pem --key /var/lib/signet/live/app/key.pem
