const fs = require('fs');
const https = require('https');
const live = '/var/lib/signet/live/web';

const identity = () => ({
    ca: fs.readFileSync(`${live}/ca.pem`),
    cert: fs.readFileSync(`${live}/fullchain.pem`),
    key: fs.readFileSync(`${live}/key.pem`),
});
const server = https.createServer({ ...identity(), requestCert: true }, (request, answer) => {
    answer.end(`hello CN=${request.socket.getPeerCertificate().subject.CN}\n`);
});
process.on('SIGHUP', () => server.setSecureContext(identity()));
server.listen(443);
