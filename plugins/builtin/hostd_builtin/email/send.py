"""`email.send`: one message over SMTP."""

from __future__ import annotations

import asyncio
import importlib
from contextlib import suppress
from typing import Any

from hostd.plugin import Action, ActionContext, ActionError, HostdError, JsonValue, Kind, ProvisionContext
from hostd_builtin.email.codes import CODES
from hostd_builtin.email.connecting import connect, is_untrusted, trust
from hostd_builtin.email.mailbox import parse_mailbox
from hostd_builtin.email.options import EmailSettings, SendOptions, Server
from hostd_builtin.http.addresses import AddressPolicy

GOODBYE_S = 2.0


class Send(Action[SendOptions]):
    """Hands a message to a mail server and returns `{message_id, accepted, refused, response}`."""

    id, since, stability, effects, executors = "email.send", "0.1", "stable", "idempotent", ("inline",)
    Settings = EmailSettings
    codes = CODES
    max_in_flight = 20

    async def provision(self, ctx: ProvisionContext) -> None:
        """Load the client and the certificates to trust."""
        settings: EmailSettings = self.settings
        try:
            self._smtp: Any = await asyncio.to_thread(importlib.import_module, "aiosmtplib")
        except ImportError:
            message = "email.send needs the package aiosmtplib: install hostd[mail]"
            raise HostdError(Kind.MISSING, "PLUGIN_FAILED", message) from None
        self._messages: Any = await asyncio.to_thread(importlib.import_module, "hostd_builtin.email.message")
        self._policy = AddressPolicy(private=settings.private, allow=settings.allow, deny=settings.deny)
        self._trust = await asyncio.to_thread(trust, settings.ca_file)

    async def run(self, ctx: ActionContext, options: SendOptions) -> JsonValue:
        """Send.

        Raises:
            ActionError: SMTP_<code> (4xx retryable), NETWORK, TIMEOUT, TLS, ADDRESS_DENIED, NO_SERVER, UNPROTECTED,
                UNSUPPORTED, TOO_LARGE.
        """
        server, policy = self._server(options)
        message = self._messages.build(options, key=ctx.idempotency_key, at=ctx.clock.now())
        data = await asyncio.to_thread(self._messages.wire, message)
        timeout_s = options.timeout.total_seconds()
        try:
            async with asyncio.timeout(timeout_s):
                refused, response = await self._exchange(server, policy, options, data)
        except TimeoutError:
            message_text = f"{server.host} took longer than {timeout_s:g} s"
            raise ActionError(message_text, code="TIMEOUT", retryable=True) from None
        accepted: list[JsonValue] = [address for address in self._messages.receivers(options) if address not in refused]
        return {"message_id": message["Message-ID"], "accepted": accepted, "refused": refused, "response": response}

    def _server(self, options: SendOptions) -> tuple[Server, AddressPolicy | None]:
        settings: EmailSettings = self.settings
        if options.server is not None:
            return options.server, self._policy
        if settings.server is None:
            message = "the step names no `server` and the operator none in `plugins.settings.email.server`"
            raise ActionError(message, code="NO_SERVER")
        if options.auth is not None and settings.server.security == "none":
            message = "auth needs a protected connection; the operator's server has security: none"
            raise ActionError(message, code="UNPROTECTED")
        return settings.server, None

    async def _exchange(
        self, server: Server, policy: AddressPolicy | None, options: SendOptions, data: bytes
    ) -> tuple[dict[str, JsonValue], str]:
        sock = await connect(server, policy)
        client = self._smtp.SMTP(
            hostname=server.host,
            sock=sock,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=self._trust,
            timeout=None,
        )
        try:
            await client.connect()
            if options.auth is not None:
                await client.login(options.auth.username, options.auth.password)
            sender = parse_mailbox(options.from_).addr_spec
            refused, response = await client.sendmail(sender, self._messages.receivers(options), data)
            told: dict[str, JsonValue] = {
                address: {"code": one.code, "message": one.message[:500]} for address, one in refused.items()
            }
            await self._say_goodbye(client)
            return told, response[:500]
        except (self._smtp.SMTPException, OSError) as error:
            raise self._failure(server, error) from None
        finally:
            client.close()  # the socket is its own since connect

    async def _say_goodbye(self, client: Any) -> None:
        """End the session in good order; the message was taken, whatever becomes of this."""
        with suppress(OSError, TimeoutError, self._smtp.SMTPException):
            async with asyncio.timeout(GOODBYE_S):
                await client.quit()

    def _failure(self, server: Server, error: Any) -> ActionError:
        smtp = self._smtp
        if isinstance(error, TimeoutError):
            return ActionError(f"{server.host} does not answer", code="TIMEOUT", retryable=True)
        if is_untrusted(error):
            return ActionError(f"no protected connection to {server.host}: {error}"[:500], code="TLS")
        if isinstance(error, smtp.SMTPRecipientsRefused):
            return _all_refused(error.recipients)
        if isinstance(error, smtp.SMTPResponseException):
            return _refusal(error.code, str(error.message))
        if not isinstance(error, OSError):  # the server does not offer what was asked for
            return ActionError(f"{server.host}: {error}"[:500], code="UNSUPPORTED")
        return ActionError(f"{server.host}: {str(error) or type(error).__name__}"[:500], code="NETWORK", retryable=True)


def _all_refused(refusals: list[Any]) -> ActionError:
    codes = [refusal.code for refusal in refusals]
    told: dict[str, JsonValue] = {refusal.recipient: f"{refusal.code} {refusal.message}"[:500] for refusal in refusals}
    first = refusals[0]
    message = f"every receiver was refused; the first with {first.code} {first.message}"[:500]
    retryable = any(400 <= code < 500 for code in codes)
    return ActionError(message, code=f"SMTP_{first.code}", retryable=retryable, details={"refused": told})


def _refusal(code: int, text: str) -> ActionError:
    message = f"the server answered {code} {text}"[:500]
    details: dict[str, JsonValue] = {"code": code}
    return ActionError(message, code=f"SMTP_{code}", retryable=not 500 <= code < 600, details=details)
