"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path

from newsletter import bodies, edition_views, embedding, inbox, proposals, reader_views, robots, views

urlpatterns = [
    path("robots.txt", robots.robots, name="robots"),
    path("embed.js", embedding.script, name="embed_script"),
    path("admin/embed/", admin.site.admin_view(embedding.page), name="embed"),
    path("admin/", include("newsletter.desk.urls")),
    path("admin/", admin.site.urls),
    path("anymail/", include("newsletter.webhooks")),
    path("inbox/", inbox.message_list, name="inbox"),
    path("inbox/<str:key>/", inbox.message, name="inbox_message"),
    path("inbox/<str:key>/html", inbox.message_html, name="inbox_html"),
    path("subscribe/topics/", proposals.propose, name="propose"),
    path("sample/", views.example, name="example"),
    path("sample/<path:token>", views.sample, name="sample"),
    path("digests/<str:signed>/", views.web_copy, name="web_copy"),
    path("digests/<str:signed>/<int:place>/<slug:word>/", views.say, name="say"),
    path("preferences/<str:token>/learned/", reader_views.learned, name="learned"),
    path("preferences/<str:token>/digests/", reader_views.digests, name="reader_digests"),
    path("", include("subscribers.urls")),
    path("", include("papers.urls")),
    path("editions/", edition_views.edition_list, name="editions"),
    path("editions/<slug:kind>/<period:day>/", edition_views.edition, name="edition"),
]

handler400 = bodies.unreadable
