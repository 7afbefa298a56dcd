"""SharePoint's refusals, independent of the wire format."""

from __future__ import annotations


class SharePointError(Exception):
    """A refusal: HTTP status, "<HRESULT>, <.NET type>", and a sentence in one language."""

    def __init__(self, status: int, code: str, message: str, language: str = "en-US") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.language = language


# The codes and statuses of the next eight: facts/sharepoint.md section 3, with their grades there.


def no_such_file(path: str) -> SharePointError:
    """Recorded."""
    code = "-2130575338, Microsoft.SharePoint.SPException"
    return SharePointError(404, code, f"The file {path} does not exist.")


def no_such_folder() -> SharePointError:
    """Recorded."""
    return SharePointError(404, "-2147024894, System.IO.FileNotFoundException", "File Not Found.")


def no_such_list() -> SharePointError:
    """From issues (facts/sharepoint.md section 3)."""
    text = "List does not exist."
    return SharePointError(404, "-2130575322, Microsoft.SharePoint.SPException", text)


def outside_the_web(path: str) -> SharePointError:
    """Recorded."""
    code = "-2147024809, System.ArgumentException"
    return SharePointError(400, code, f"The path {path!r} is not within this web.")


def access_denied() -> SharePointError:
    """From issues."""
    code = "-2147024891, System.UnauthorizedAccessException"
    text = "Access denied. You do not have permission to perform this action."
    return SharePointError(403, code, text)


def too_many_files() -> SharePointError:
    """From issues."""
    code = "-2147024860, Microsoft.SharePoint.SPQueryThrottledException"
    text = "The attempted operation is prohibited because it exceeds the list view threshold."
    return SharePointError(500, code, text)


def property_locked(name: str) -> SharePointError:
    """From issues."""
    code = "-1, Microsoft.Office.Server.UserProfiles.PropertyNotEditableException"
    return SharePointError(500, code, f"Property Not Editable: the property {name} is read-only.")


def no_profile(status: int) -> SharePointError:
    """From the source of a tool (the sentence); the type name is assumed."""
    code = "-1, Microsoft.Office.Server.UserProfiles.UserNotFoundException"
    text = "User Profile Error 1000: User Not Found: Could not load profile data from the database."
    return SharePointError(status, code, text)


# Both denials are reported, the others assumed (facts/sharepoint.md section 3).
_IN_OTHER_WORDS = {
    "de-DE": {
        "UnauthorizedAccessException": (
            "Zugriff verweigert. Sie haben keine Berechtigung, diesen Vorgang auszuführen oder auf "
            "diese Ressource zuzugreifen."
        ),
        "UserNotFoundException": "Benutzerprofilfehler 1000: Der Benutzer wurde nicht gefunden.",
        "PropertyNotEditableException": "Die Eigenschaft kann nicht bearbeitet werden.",
    },
    "nl-NL": {
        "UnauthorizedAccessException": (
            "Toegang geweigerd. U bent niet gemachtigd om deze bewerking uit te voeren of deze "
            "bron te openen."
        ),
        "UserNotFoundException": "Fout 1000 met gebruikersprofiel: gebruiker is niet gevonden.",
        "PropertyNotEditableException": "Deze eigenschap kan niet worden bewerkt.",
    },
}


def in_language(error: SharePointError, language: str) -> SharePointError:
    """
    The same refusal in *language*; type and HRESULT stay.

    Reported: some sentences are English whatever `lang` says; here, those without a translation
    above.
    """
    words = _IN_OTHER_WORDS.get(language, {})
    message = words.get(error.code.rpartition(".")[2], error.message)
    return SharePointError(error.status, error.code, message, language)


# All of the following are assumed: nothing recorded shows them.


def bad_request(text: str) -> SharePointError:
    return SharePointError(400, "-1, Microsoft.SharePoint.Client.InvalidClientQueryException", text)


def unknown_resource() -> SharePointError:
    code = "-1, Microsoft.SharePoint.Client.ResourceNotFoundException"
    return SharePointError(404, code, "Resource not found for the request.")


def wrong_method(method: str) -> SharePointError:
    code = "-1, Microsoft.SharePoint.Client.ClientServiceException"
    return SharePointError(405, code, f"The HTTP method '{method}' cannot be used here.")


def unknown_property(name: str) -> SharePointError:
    code = "-1, Microsoft.Office.Server.UserProfiles.PropertyNotDefinedException"
    return SharePointError(500, code, f"There is no profile property {name}.")


def invalid_value(name: str) -> SharePointError:
    code = "-1, Microsoft.Office.Server.UserProfiles.PropertyInvalidFormatException"
    return SharePointError(500, code, f"Invalid Property Value: the property {name} refuses it.")


def file_exists(name: str) -> SharePointError:
    code = "-2130575257, Microsoft.SharePoint.SPException"
    return SharePointError(400, code, f"A file with the name {name} already exists.")


def changed_since(name: str) -> SharePointError:
    code = "-1, Microsoft.SharePoint.Client.ClientServiceException"
    return SharePointError(412, code, f"The request ETag does not match that of {name}.")
