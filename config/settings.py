"""One file of settings, read from the environment. docs/configuration.md lists every variable."""

from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from logging import DEBUG as DEBUG_LEVEL
from logging import INFO as INFO_LEVEL
from pathlib import Path
from typing import Any
from urllib.parse import quote

import django_stubs_ext
import environ
from django.core.exceptions import ImproperlyConfigured

from config import costly, env, logs, production
from config.doors import ACCOUNT_FORMS, MFA_FORMS  # noqa: F401
from config.policy import CONTENT_SECURITY_POLICY  # noqa: F401
from config.queues import *  # noqa: F403  each name there is a setting
from config.queues import embedded_socket
from documents.archive.addresses import parse_bucket

# Lets `ModelAdmin[Company]` and its like be written where Django has no generics of its own.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("PRESSROOM_VAR_DIR", str(BASE_DIR / "var"))).resolve()

# --- Mode ----------------------------------------------------------------------------------------
# local: one machine, one person, http://localhost. production: everything must be said.
MODE = env.choice("PRESSROOM_MODE", "local", ("local", "production"))
PRODUCTION = MODE == "production"
DEBUG = env.flag("DEBUG", default=False)
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("DEBUG must be off when PRESSROOM_MODE=production")

if PRODUCTION:
    SECRET_KEY = env.required("SECRET_KEY", "production needs a long random secret of its own")
    ALLOWED_HOSTS = env.words("ALLOWED_HOSTS")
    if not ALLOWED_HOSTS:
        raise ImproperlyConfigured("ALLOWED_HOSTS is not set: name the hosts that are served")
    production.refuse_weak_secret(SECRET_KEY)
    production.refuse_any_host(ALLOWED_HOSTS)
else:
    SECRET_KEY = env.text("SECRET_KEY") or env.kept_secret(VAR_DIR / "secret_key")
    ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")

SITE_URL = env.text("PRESSROOM_SITE_URL", "" if PRODUCTION else "http://localhost:8000").rstrip("/")
if PRODUCTION:
    production.require_served(SITE_URL, ALLOWED_HOSTS)

# --- Applications --------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_filters",
    "django_tables2",
    "django_celery_results",
    "auditlog",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "accounts",
    "worker",
    "documents",
    "billing",
]

MIDDLEWARE = [
    "accounts.request_log.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "accounts.headers.HeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "accounts.middleware.CompanyMiddleware",
    "accounts.limits.RateLimitMiddleware",
    "auditlog.middleware.AuditlogMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

# Development only: production has no DEBUG, and its requirements no toolbar.
if DEBUG and find_spec("debug_toolbar"):
    INSTALLED_APPS.append("debug_toolbar")
    MIDDLEWARE.insert(3, "debug_toolbar.middleware.DebugToolbarMiddleware")
    INTERNAL_IPS = ["127.0.0.1"]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]

# --- Database ------------------------------------------------------------------------------------
_embedded = f"sqlite:///{quote(f'{VAR_DIR}/pressroom.sqlite3')}"


def _database(config: dict[str, Any]) -> dict[str, Any]:
    if config["ENGINE"] == "django.db.backends.sqlite3":
        if PRODUCTION:
            raise ImproperlyConfigured("DATABASE_URL is not set: production runs on PostgreSQL")
        Path(config["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        config["OPTIONS"] = {
            "timeout": 20,
            # Deferred transactions fail with "locked" when they turn into writers; this waits.
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
        }
        return config
    config.setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
    config["CONN_MAX_AGE"] = env.number("PRESSROOM_DB_CONN_MAX_AGE", 60)
    config["CONN_HEALTH_CHECKS"] = True
    # A pooler that gives each transaction another connection loses a cursor that outlives one.
    config["DISABLE_SERVER_SIDE_CURSORS"] = env.flag("PRESSROOM_DB_POOLED", default=False)
    return config


DATABASES = {"default": _database(env.database("DATABASE_URL", _embedded))}

# --- Accounts ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.MembershipBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
# Who works here was invited: nobody signs up, and an address is a person's login for good.
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True  # of a changed password, a new second factor
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if PRODUCTION else "http"
# A password is guessed at five times in five minutes for an address, ten times a minute from one.
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/300s/key", "login": "30/m/ip"}
MFA_ADAPTER = "accounts.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Pressroom"
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION  # http://localhost
# How many proxies stand in front and add to X-Forwarded-For; what comes before them is hearsay.
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("PRESSROOM_PROXIES", 0, minimum=0)

# Attempts at signing in and costly requests are counted for all web processes together; what a
# process refuses by its own count alone, it refuses without asking the database.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "accounts_cache",
        # Over this many some are dropped, running counts too: more than anybody fills in a hurry.
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    },
    # Forms that were sent, so that they count once. Beside the others, whose counts they must not
    # push out.
    "forms": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "billing_sent_forms",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    },
    "counts": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    },
}

# --- Requests that cost much ----------------------------------------------------------------------
# So many a minute, for a person or, where nobody is signed in, for an address; 0: no bound.
COSTLY_PER_MINUTE = env.number("PRESSROOM_COSTLY_PER_MINUTE", 60)
COSTLY_VIEWS = costly.VIEWS

# --- Language and time ---------------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
# The languages of papers; each but the first has its words in locale/.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]

# --- Static files --------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS: list[Any] = [
    BASE_DIR / "static",
    ("bootstrap", BASE_DIR / "node_modules" / "bootstrap" / "dist"),
    ("tom-select", BASE_DIR / "node_modules" / "tom-select" / "dist"),
]
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": VAR_DIR / "media"},
    },
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage",
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
if not PRODUCTION:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns where it is missing

# --- Security ------------------------------------------------------------------------------------
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
CSRF_COOKIE_SAMESITE = "Lax"
# Pages put the token where they need it: no script reads the cookie.
CSRF_COOKIE_HTTPONLY = True
DATA_UPLOAD_MAX_NUMBER_FIELDS = 60_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440  # bytes of a form without its files
DATA_UPLOAD_MAX_NUMBER_FILES = 10
if PRODUCTION:
    IS_BEHIND_PROXY = env.flag("PRESSROOM_BEHIND_PROXY", default=False)
    SECURE_SSL_REDIRECT = env.flag("PRESSROOM_SSL_REDIRECT", default=True)
    production.require_tls_somewhere(redirects=SECURE_SSL_REDIRECT, is_behind_proxy=IS_BEHIND_PROXY)
    # Probes come from inside, without TLS.
    SECURE_REDIRECT_EXEMPT = [r"^(live|ready|metrics)$"]
    SECURE_HSTS_SECONDS = env.number("PRESSROOM_HSTS_SECONDS", 31_536_000, minimum=1)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    # Browsers take these names from this very host only, over TLS, for every path.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
    for _origin in CSRF_TRUSTED_ORIGINS:
        production.require_https("CSRF_TRUSTED_ORIGINS", _origin)
    if IS_BEHIND_PROXY:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Audit trail ---------------------------------------------------------------------------------
# The address comes from a header that anyone may send, and is nobody's business here.
AUDITLOG_DISABLE_REMOTE_ADDR = True
# It reads a row by its key before it is saved: the managers that ask for a company would refuse,
# and those of active rows would not see a deleted one.
AUDITLOG_USE_BASE_MANAGER = True

# --- E-mail --------------------------------------------------------------------------------------
# Without a server, messages are written to var/mail, a file each.
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = str(VAR_DIR / "mail")
DEFAULT_FROM_EMAIL = env.text("PRESSROOM_FROM_EMAIL", "Pressroom <pressroom@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# A server that says nothing must not hold up whoever invites somebody.
EMAIL_TIMEOUT = 10
# A server that has a message may look into it before it answers; without an answer nobody knows
# whether it arrived. Below the task's time limit, which would end the wait as well.
MAIL_ANSWER_TIMEOUT = env.number("PRESSROOM_MAIL_ANSWER_SECONDS", 60, minimum=1)
_email_url = env.text("EMAIL_URL")
if _email_url:
    try:
        globals().update(environ.Env.email_url_config(_email_url))
    except (ValueError, KeyError, ImproperlyConfigured) as error:
        expected = "smtp+tls://user:password@host:587"
        raise ImproperlyConfigured(f"EMAIL_URL: expected {expected}") from error

# --- Webhooks ------------------------------------------------------------------------------------
# Only for development on one machine: lets endpoints be plain http and in private networks.
WEBHOOK_ALLOW_PRIVATE = env.flag("PRESSROOM_WEBHOOK_ALLOW_PRIVATE", default=False)

# --- Archive -------------------------------------------------------------------------------------
ARCHIVE_DIR = Path(env.text("PRESSROOM_ARCHIVE_DIR", str(VAR_DIR / "archive"))).resolve()
# Where nginx has the archive as an internal place ("/_archive/"): it sends the files, we only say
# which (X-Accel-Redirect). Empty: we send them. Only for an archive of files.
ACCEL_PREFIX = env.text("PRESSROOM_ACCEL_PREFIX")
# s3://KEY:SECRET@host/bucket?region=...: a bucket instead of that folder. While papers move from
# one place to another, what the new one lacks is read from the former: a folder or such a URL.
STORAGE_URL = env.text("STORAGE_URL")
if STORAGE_URL:
    parse_bucket(STORAGE_URL)
ARCHIVE_FALLBACK = env.text("PRESSROOM_ARCHIVE_FALLBACK")
if "://" in ARCHIVE_FALLBACK:
    parse_bucket(ARCHIVE_FALLBACK, name="PRESSROOM_ARCHIVE_FALLBACK")
# A file that no row names is removed once it is this old: its row may not be committed yet, or a
# database that was restored may be behind.
ORPHAN_GRACE = timedelta(hours=env.number("PRESSROOM_ORPHAN_GRACE_HOURS", 72, minimum=1))
# How long the tax law wants papers kept after the end of their fiscal year.
RETENTION_YEARS = env.number("PRESSROOM_RETENTION_YEARS", 10)
# Of a file that is given to be verified.
MAX_UPLOAD_MB = env.number("PRESSROOM_MAX_UPLOAD_MB", 25, minimum=1)

# The ZIP of a run of more papers than this is made by a worker, not while it is sent.
FILE_NOW_LIMIT = env.number("PRESSROOM_FILE_NOW_LIMIT", 200)

# What fontconfig is told, and what it remembers of the fonts: made anew where it is missing.
FONTS_DIR = Path(env.text("PRESSROOM_FONTS_DIR", str(VAR_DIR / "fonts"))).resolve()

# --- Leased work ---------------------------------------------------------------------------------
# The lease itself stands beside the time limit, in config/queues.py.
WORK_MAX_ATTEMPTS = env.number("PRESSROOM_MAX_ATTEMPTS", 3, minimum=1)
DISPATCH_EVERY = timedelta(
    milliseconds=env.number("PRESSROOM_DISPATCH_MILLISECONDS", 1000, minimum=50)
)
# At most this many messages wait in one queue: the rest wait in the database, in order.
DISPATCH_WINDOW = env.number("PRESSROOM_DISPATCH_WINDOW", 200, minimum=1)
# A message not acted on within this time while its queue is short is taken for lost.
DISPATCH_REPUBLISH_AFTER = timedelta(
    seconds=env.number("PRESSROOM_REPUBLISH_SECONDS", 20, minimum=1)
)
MAX_CLOCK_SKEW = timedelta(seconds=5)

# --- Celery --------------------------------------------------------------------------------------
_broker_url = env.broker("CELERY_BROKER_URL")
if PRODUCTION and not _broker_url:
    raise ImproperlyConfigured("CELERY_BROKER_URL is not set: production runs on a Redis server")
if PRODUCTION:
    production.require_authenticated_broker(
        _broker_url, is_open=env.flag("PRESSROOM_BROKER_OPEN", default=False)
    )
EMBEDDED_BROKER_SOCKET: Path | None = None if _broker_url else embedded_socket(VAR_DIR)
CELERY_BROKER_URL = (
    _broker_url or f"redis+socket://{quote(str(EMBEDDED_BROKER_SOCKET))}?virtual_host=0"
)

# --- Metrics -------------------------------------------------------------------------------------
# /metrics is not there until one of these is given: to whoever has the token, or to everybody.
METRICS_TOKEN = env.text("PRESSROOM_METRICS_TOKEN")
METRICS_OPEN = env.flag("PRESSROOM_METRICS_OPEN", default=False)

# --- Logs ----------------------------------------------------------------------------------------
LOG_FORMAT = env.choice("PRESSROOM_LOG_FORMAT", "json" if PRODUCTION else "text", ("json", "text"))
# Beside the terminal: in production that is for whoever collects it.
_logs = VAR_DIR / "logs" if env.text("PRESSROOM_VAR_DIR") else BASE_DIR / "logs"
LOG_FILE = env.text("PRESSROOM_LOG_FILE", "" if PRODUCTION else str(_logs / "django.log"))
LOGGING = logs.logging_config(
    form=LOG_FORMAT,
    level=env.log_level("PRESSROOM_LOG_LEVEL", "INFO"),
    file=Path(LOG_FILE) if LOG_FILE not in ("", "none") else None,
)
logs.configure_structlog()
# Of a piece of work: published, begun, and our own line about how it ended.
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = DEBUG_LEVEL
DJANGO_STRUCTLOG_CELERY_TASK_START_LOG_LEVEL = INFO_LEVEL

# --- Errors --------------------------------------------------------------------------------------
SENTRY_DSN = env.text("SENTRY_DSN")
if SENTRY_DSN:  # else the library is not even imported
    import_module("config.errors").start_sentry(SENTRY_DSN, release=env.text("PRESSROOM_RELEASE"))
