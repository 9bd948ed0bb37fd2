const fs = require('fs');
const https = require('https');
const live = '/var/lib/signet/live/app';

https.get('https://server.example.org/', {
    ca: fs.readFileSync(`${live}/ca.pem`),
    cert: fs.readFileSync(`${live}/fullchain.pem`),
    key: fs.readFileSync(`${live}/key.pem`),
}, (answer) => answer.pipe(process.stdout));
