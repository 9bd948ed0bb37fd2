nmcli connection add type ethernet con-name wired-by-nmcli ifname eth0 802-1x.eap tls 802-1x.identity host/app \
    802-1x.ca-cert /var/lib/signet/live/app/ca.pem \
    802-1x.client-cert 'pkcs11:token=Signet;object=app;type=cert' 802-1x.client-cert-password-flags not-required \
    802-1x.private-key 'pkcs11:token=Signet;object=app;type=private' 802-1x.private-key-password-flags not-required
