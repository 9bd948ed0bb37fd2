selfserv -d sql:$HOME/.pki/nssdb -p 443 -n Signet:web -rr
