"""Secrets stand last and take in whatever follows, so that a broken link gets an answer in words."""

from django.urls import path

from subscribers.views import api, data, leaving, moves, preferences, signup

urlpatterns = [
    path("subscribe/", signup.subscribe, name="subscribe"),
    path("subscribe/ticket", signup.ticket, name="ticket"),
    path("subscribe/check-your-inbox/", signup.subscribed, name="subscribed"),
    path("api/v1/subscriptions", api.subscriptions, name="subscriptions"),
    path("confirm/<path:token>", signup.confirm, name="confirm"),
    path("preferences/", preferences.send_preferences_link, name="send_preferences_link"),
    path("preferences/sent/", preferences.preferences_link_sent, name="preferences_link_sent"),
    path("preferences/<str:token>/export/", data.export, name="export"),
    path("preferences/<str:token>/address/", moves.move, name="move"),
    path("preferences/<str:token>/undo/", preferences.undo, name="undo"),
    path("preferences/<str:token>/pause/", preferences.pause_until, name="pause_until"),
    path("preferences/<path:token>", preferences.preferences, name="preferences"),
    path("address/<path:token>", moves.agree, name="agree"),
    path("erase/<path:token>", data.erase, name="erase"),
    path("leave/<path:token>", leaving.leave, name="leave"),
    path("why/<path:token>", leaving.why, name="why"),
    path("undo/<path:token>", leaving.leave_undo, name="leave_undo"),
    path("less-often/<path:token>", leaving.less_often, name="less_often"),
    path("back/<path:token>", leaving.take_back, name="take_back"),
    path("pause/<path:token>", leaving.pause, name="pause"),
    path("resume/<path:token>", leaving.resume, name="resume"),
    path("one-click/<path:token>", leaving.one_click, name="one_click"),
]
