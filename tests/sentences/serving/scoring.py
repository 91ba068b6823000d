"""The refusals of scoring, as they are printed and as the service answers them."""

from __future__ import annotations

from features.runtime.errors import XuanpinError
from serving.scoring.loading import UnreadableError
from serving.scoring.refusals import Detail, RequestRefusedError
from serving.scoring.selection import InvalidSelectionError

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        UnreadableError(PermissionError(13, "Permission denied")),
        (
            "The bundle or the snapshot can't be read: Permission denied. "
            "Check the run directory and its permissions."
        ),
    ),
    (
        InvalidSelectionError("bad_share", allowed="between 0 and 1", actual=1.5),
        "The value of bad_share must be between 0 and 1, not 1.5. Change bad_share.",
    ),
    (
        RequestRefusedError("malformed_json"),
        (
            "The body is not valid JSON in UTF-8. Send what a JSON library writes: loc under "
            "details is the place where reading stopped."
        ),
    ),
    (
        RequestRefusedError("malformed_json", (Detail((), "half_character"),)),
        (
            "A text in the body has half a character: an escape from \\ud800 to \\udfff stands "
            "alone. Write such characters as they are in UTF-8, or as both halves one after the "
            "other."
        ),
    ),
    (
        RequestRefusedError("malformed_json", (Detail((), "too_deep"),)),
        (
            "The body has lists or objects too deep in each other. Send an object with a list "
            "candidates, whose values are texts and numbers."
        ),
    ),
    (
        RequestRefusedError("not_finite"),
        (
            "The body holds NaN, Infinity or a number beyond the range of a double. Replace "
            "each by a number, or leave out candidates whose numbers aren't known."
        ),
    ),
    (
        RequestRefusedError("duplicate_key"),
        ("An object in the body has a key twice. Send each key once: loc under details names it."),
    ),
    (
        RequestRefusedError("invalid_request"),
        (
            "The request doesn't have the form of the API. Correct the fields under details, "
            "where loc names the place and code the fault, and send again: a later fault of the "
            "same candidate is named only then."
        ),
    ),
    (
        RequestRefusedError("currency_mismatch"),
        (
            "A price is not in the currency of its market. Correct the candidates under "
            "details: the code of each names its fault."
        ),
    ),
    (
        RequestRefusedError("listing_mismatch"),
        (
            "A listing belongs to another product or another market. Correct product_id and "
            "market of the candidates under details, or leave listing_id out; the code of each "
            "names its fault."
        ),
    ),
    (
        RequestRefusedError("unsupported_market"),
        (
            "The model has not learned from this market. Correct or leave out the candidates "
            "under details: the code of each names its fault."
        ),
    ),
    (
        RequestRefusedError("too_many_candidates"),
        (
            "The request has more than 1,000 candidates, or asks to explain more than 100. "
            "Split them over several requests."
        ),
    ),
    (
        RequestRefusedError("body_too_large"),
        "The body is larger than the service accepts. Split the candidates over several requests.",
    ),
    (
        RequestRefusedError("unsupported_media_type"),
        (
            "The content type is not application/json in UTF-8. Send JSON with the header "
            "content-type: application/json."
        ),
    ),
    (
        RequestRefusedError("unsupported_encoding"),
        "The body is compressed. Send plain JSON without the header content-encoding.",
    ),
    (
        RequestRefusedError("unauthorised"),
        (
            "The request has no valid API key. Send one key, in the header authorization: Bearer "
            "or in x-api-key. The operator makes keys with `xuanpin keys add`, and a new one for a "
            "key that expired or was revoked."
        ),
    ),
    (
        RequestRefusedError("forbidden"),
        (
            "The API key lacks the scope that this path needs. Use a key that has it: `xuanpin "
            "keys list` shows the operator the scopes of each key."
        ),
    ),
    (
        RequestRefusedError("rate_limited"),
        (
            "The API key has sent more requests than its rate allows. Try again after the seconds "
            "that the retry-after header names."
        ),
    ),
    (
        RequestRefusedError("not_found"),
        "The service has no such path. Send candidates to POST /v1/score.",
    ),
    (
        RequestRefusedError("method_not_allowed"),
        "The path doesn't allow this method. Use a method that the allow header names.",
    ),
    (
        RequestRefusedError("request_timeout"),
        "The body did not arrive within the deadline. Send the request again.",
    ),
    (
        RequestRefusedError("incomplete_body"),
        "The body ended early, or its content-length is not a number. Send the whole body again.",
    ),
    (
        RequestRefusedError("deadline_exceeded"),
        "Scoring took longer than the deadline. Send fewer candidates in a request.",
    ),
    (
        RequestRefusedError("log_unavailable"),
        (
            "The service can't log its decisions, so it makes none. Try again after the seconds "
            "that the retry-after header names. If it lasts, call the operator: the service's "
            "log has the reason."
        ),
    ),
    (
        RequestRefusedError("stopping"),
        ("The service is stopping. Try again after the seconds that the retry-after header names."),
    ),
    (
        RequestRefusedError("overloaded"),
        (
            "The service has too many requests waiting. Try again after the seconds that the "
            "retry-after header names."
        ),
    ),
    (
        RequestRefusedError("no_model"),
        (
            "The service has not loaded a bundle and a snapshot. Wait if it has just started. "
            "Otherwise read its log, publish artefacts with `xuanpin run`, and start it again."
        ),
    ),
    (
        RequestRefusedError("invalid_prediction"),
        (
            "A model gave a prediction that is not a number in [0, 1]. Serve an earlier bundle. "
            "The log has the details under this request id."
        ),
    ),
    (
        RequestRefusedError("internal"),
        "The service failed. The log has the details under this request id.",
    ),
]
