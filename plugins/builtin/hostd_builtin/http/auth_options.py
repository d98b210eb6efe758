"""How `http.request` says who asks."""

from __future__ import annotations

from typing import Annotated, Literal

from hostd.plugin import Field, Options

HEADER_NAME = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$"


class BasicAuth(Options):
    """HTTP basic authentication."""

    type: Literal["basic"] = Field(description="Kind of authentication.")
    username: str = Field(description="User name; must hold no colon.", pattern=r"^[^:\r\n]*$")
    password: str = Field(description="Password.", secret=True, examples=["${{ secrets.api_password }}"])


class BearerAuth(Options):
    """A token in the `Authorization` header."""

    type: Literal["bearer"] = Field(description="Kind of authentication.")
    token: str = Field(
        description="The token.", secret=True, pattern=r"^[^\r\n]+$", examples=["${{ secrets.api_token }}"]
    )


class KeyAuth(Options):
    """A key in a header of its own, or in the query."""

    type: Literal["api_key"] = Field(description="Kind of authentication.")
    key: str = Field(description="The key.", secret=True, pattern=r"^[^\r\n]+$", examples=["${{ secrets.api_key }}"])
    header: str = Field("x-api-key", description="Header that holds it.", pattern=HEADER_NAME)
    query: str | None = Field(None, description="Key of the query that holds it instead.", min_length=1, max_length=100)


class OAuth2Auth(Options):
    """OAuth 2 client credentials (RFC 6749, 4.4). The token is kept until shortly before it expires."""

    type: Literal["oauth2"] = Field(description="Kind of authentication.")
    token_url: str = Field(
        description="Address that gives tokens.",
        pattern=r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/@?#]+([/?]\S*)?$",
        max_length=2_048,
        examples=["https://login.example/oauth/token"],
    )
    client_id: str = Field(description="Id of the client.", min_length=1, max_length=2_048)
    client_secret: str = Field(
        description="Secret of the client.", secret=True, min_length=1, examples=["${{ secrets.client_secret }}"]
    )
    scope: str | None = Field(None, description="Scopes to ask for, separated by spaces.", max_length=2_048)
    audience: str | None = Field(None, description="Audience to ask for.", max_length=2_048)
    client_auth: Literal["basic", "body"] = Field(
        "basic", description="Whether id and secret are sent as basic authentication or in the body."
    )
    parameters: dict[str, str] = Field(default_factory=dict, description="More fields to send.", max_length=20)


Auth = Annotated[BasicAuth | BearerAuth | KeyAuth | OAuth2Auth, Field(discriminator="type")]
