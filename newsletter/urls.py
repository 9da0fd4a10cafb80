"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path

from newsletter import proposals
from newsletter.middleware import bodies
from newsletter.views import copies, editions, embedding, inbox, readers, robots

urlpatterns = [
    path("robots.txt", robots.robots, name="robots"),
    path("embed.js", embedding.script, name="embed_script"),
    path("admin/embed/", admin.site.admin_view(embedding.page), name="embed"),
    path("admin/", include("newsletter.desk.urls")),
    path("admin/", admin.site.urls),
    path("anymail/", include("newsletter.views.webhooks")),
    path("inbox/", inbox.message_list, name="inbox"),
    path("inbox/<str:key>/", inbox.message, name="inbox_message"),
    path("inbox/<str:key>/html", inbox.message_html, name="inbox_html"),
    path("subscribe/topics/", proposals.propose, name="propose"),
    path("sample/", copies.example, name="example"),
    path("sample/<path:token>", copies.sample, name="sample"),
    path("digests/<str:signed>/", copies.web_copy, name="web_copy"),
    path("digests/<str:signed>/<int:place>/<slug:word>/", copies.say, name="say"),
    path("preferences/<str:token>/learned/", readers.learned, name="learned"),
    path("preferences/<str:token>/digests/", readers.digests, name="reader_digests"),
    path("", include("subscribers.urls")),
    path("", include("papers.urls")),
    path("editions/", editions.edition_list, name="editions"),
    path("editions/<slug:kind>/<period:day>/", editions.edition, name="edition"),
]

handler400 = bodies.unreadable
