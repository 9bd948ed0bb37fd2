import requests

answer = requests.get(
    "https://server.example.org/",
    verify="/var/lib/signet/live/app/ca.pem",
    cert=("/var/lib/signet/live/app/fullchain.pem", "/var/lib/signet/live/app/key.pem"),
)
print(answer.text)
