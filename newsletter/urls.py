"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path

from newsletter import inbox

urlpatterns = [
    path("admin/", admin.site.urls),
    path("inbox/", inbox.message_list, name="inbox"),
    path("inbox/<str:key>/", inbox.message, name="inbox_message"),
    path("inbox/<str:key>/html", inbox.message_html, name="inbox_html"),
    path("", include("subscribers.urls")),
    path("", include("papers.urls")),
]
