import ssl
import urllib.request

context = ssl.create_default_context(cafile="/var/lib/signet/live/app/ca.pem")
context.load_cert_chain("/var/lib/signet/live/app/fullchain.pem", "/var/lib/signet/live/app/key.pem")
print(urllib.request.urlopen("https://server.example.org/", context=context).read().decode())
