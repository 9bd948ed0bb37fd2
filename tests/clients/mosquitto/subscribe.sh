mosquitto_sub -h server.example.org -p 8883 -t greeting -q 1 -i subscriber \
    --cafile /var/lib/signet/live/app/ca.pem \
    --cert /var/lib/signet/live/app/fullchain.pem --key /var/lib/signet/live/app/key.pem
