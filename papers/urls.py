"""The pages about papers and topics."""

from django.urls import path

from papers import views

urlpatterns = [
    path("", views.home, name="home"),
    path("topics/", views.topics, name="topics"),
    path("topics/<slug:slug>/", views.topic, name="topic"),
    path("papers/<int:pk>/<slug:slug>/", views.paper, name="paper"),
    path("about/", views.about, name="about"),
]
