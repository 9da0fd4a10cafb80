"""The pages of the desk, beside those that the admin makes of the models."""

from django.contrib import admin
from django.urls import path

from newsletter.desk import edition, month, preview, reader, topic

view = admin.site.admin_view

urlpatterns = [
    path("desk/editions/", view(month.page), name="desk_calendar"),
    path("desk/editions/open/", view(month.open_ahead), name="desk_open"),
    path("desk/editions/<int:pk>/", view(edition.page), name="desk_edition"),
    path("desk/editions/<int:pk>/act/", view(edition.act), name="desk_turn"),
    path("desk/editions/<int:pk>/preview/", view(preview.page), name="desk_preview"),
    path("desk/editions/<int:pk>/test/", view(preview.send_test), name="desk_test"),
    path("desk/editions/<int:pk>/results.csv", view(edition.results), name="desk_results"),
    path("desk/readers/", view(reader.find), name="desk_find"),
    path("desk/readers/<int:pk>/", view(reader.page), name="desk_reader"),
    path("desk/readers/<int:pk>/export.json", view(reader.export), name="desk_export"),
    path("desk/readers/<int:pk>/act/", view(reader.act), name="desk_act"),
    path("desk/topics/<int:pk>/", view(topic.page), name="desk_topic"),
]
