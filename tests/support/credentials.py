"""The credentials of the tests' carrier accounts."""

#: What the carrier shows us.
BASIC = ("carrier", "s3cret:with:colons")

ACCOUNT_ID, APPLICATION_ID = "9900000", "93de2206-9669-4e07-948d-329f4b722ee2"
USER, PASSWORD = "api-user", "api:p4ssword"
#: What a Bandwidth account sends with.
SECRETS = {"account_id": ACCOUNT_ID, "application_id": APPLICATION_ID, "api_user": USER, "api_password": PASSWORD}
