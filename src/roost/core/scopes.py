"""What an API key may do. The names are dialect A's."""

SCOPES = {
    "messages:read": "list and get inbound and outbound messages",
    "messages:send": "send messages",
    "messages:erase": "erase a contact's messages",
    "numbers:read": "list and get numbers",
    "numbers:write": "register, change and remove numbers",
    "consent:read": "read consent and its history",
    "consent:write": "record and revoke consent",
    "webhooks:read": "list webhook endpoints and deliveries",
    "webhooks:write": "create, change and replay webhooks",
    "apikeys:read": "list API keys",
    "apikeys:write": "create, rotate and revoke API keys",
    "org:read": "read the organization",
    "org:admin:write": "change the organization",
    "audit:read": "read the audit log",
}
