"""The guide over HTTP: which page a visitor gets, and how long browsers and caches keep it."""

import hashlib
from collections.abc import Mapping
from datetime import date
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from keypost.config import Config
from keypost.core.product import Product
from keypost.guide_page.frame import Links, Site, headers, language_of
from keypost.guide_page.pages import notice_page, overview_page, product_page
from keypost.inputs.gateway import Request

_KEPT = {  # for how many seconds; a product may be added or sold again at any moment
    HTTPStatus.OK: "public, max-age=3600",
    HTTPStatus.NOT_FOUND: "public, max-age=60",
    HTTPStatus.GONE: "public, max-age=60",
    HTTPStatus.SERVICE_UNAVAILABLE: "no-store",
}


def answer(request: Request, products: Mapping[str, Product] | None, settings: Config, today: date) -> dict[str, Any]:
    """The page that was asked for; `products` is None when they cannot be read now."""
    language = language_of(request.query.get("lang", ""), request.headers.get("accept-language", ""))
    site = _site(settings)
    status, html = _page(request, products, language, site, _links(request, settings), today)
    tag = f'"{hashlib.sha256(html.encode()).hexdigest()[:32]}"'
    kept = {"Cache-Control": _KEPT[status], "ETag": tag, "Vary": "Accept-Language", "Content-Language": language}
    if status is HTTPStatus.OK and _has(request, tag):
        return {"statusCode": HTTPStatus.NOT_MODIFIED.value, "headers": kept, "body": ""}
    body = "" if request.method == "HEAD" else html
    return {"statusCode": status.value, "headers": kept | headers(site), "body": body}


def _page(
    request: Request,
    products: Mapping[str, Product] | None,
    language: str,
    site: Site,
    links: Links,
    today: date,
) -> tuple[HTTPStatus, str]:
    sku = request.parameters.get("sku")
    if products is None:
        return HTTPStatus.SERVICE_UNAVAILABLE, notice_page("failed", language, site, links)
    if sku is None:
        sold = [product for product in products.values() if not product.is_retired(today)]
        return HTTPStatus.OK, overview_page(sold, language, site, links)
    product = products.get(unquote(sku))
    if product is None:
        return HTTPStatus.NOT_FOUND, notice_page("unknown", language, site, links)
    if product.is_retired(today):
        return HTTPStatus.GONE, notice_page("retired", language, site, links, product)
    return HTTPStatus.OK, product_page(product, language, site, links)


def _has(request: Request, tag: str) -> bool:
    """Whether the browser has this page already (RFC 9110, section 13.1.2)."""
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    return tag in known or known == ["*"]


def _site(settings: Config) -> Site:
    return Site(
        settings.shop_name,
        settings.shop_address,
        settings.shop_kvk,
        settings.support_address,
        settings.shop_phone,
        settings.shop_logo,
        settings.shop_color,
    )


def _links(request: Request, settings: Config) -> Links:
    """Relative ones, because the address of the API may be any."""
    up = "../" * (("sku" in request.parameters) + request.path.endswith("/"))
    return Links(
        overview=f"{up}activate?lang={{language}}",
        product=f"{up}activate/{{sku}}?lang={{language}}",
        here="?lang={language}",
        resend=f"{up}resend?lang={{language}}" if settings.self_service == "on" else "",
    )
