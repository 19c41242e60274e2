"""The station's room: it judges signed orders, sounds what is fresh, proves it, and watches itself and the centre."""

from appliance.station.node import StationNode as StationNode
