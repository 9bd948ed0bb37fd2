tstclnt -d sql:$HOME/.pki/nssdb -h server.example.org -p 443 -n Signet:app
