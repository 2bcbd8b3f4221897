package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellwire/bellwire/realtime/node"
)

// nodeCollector reads a node's own figures when it is asked.
type nodeCollector struct{ info func() node.Info }

// nodeFigure is one metric that is read from node.Info.
type nodeFigure struct {
	description *prometheus.Desc
	kind        prometheus.ValueType
	value       func(*node.Info) float64
}

func gauge(name, help string, value func(*node.Info) float64) nodeFigure {
	return nodeFigure{prometheus.NewDesc("bellwire_"+name, help, nil, nil), prometheus.GaugeValue, value}
}

func total(name, help string, value func(*node.Info) float64) nodeFigure {
	return nodeFigure{prometheus.NewDesc("bellwire_"+name, help, nil, nil), prometheus.CounterValue, value}
}

var nodeFigures = []nodeFigure{
	gauge("connections", "Connections now.", func(i *node.Info) float64 { return float64(i.Connections) }),
	gauge("users", "Users now.", func(i *node.Info) float64 { return float64(i.Users) }),
	gauge("subscriptions", "Subscriptions now.", func(i *node.Info) float64 { return float64(i.Subscriptions) }),
	gauge("channels", "Channels that somebody is subscribed to now, patterns not counted.", func(i *node.Info) float64 { return float64(i.Channels) }),
	gauge("reconnect_window_seconds", "Over how long clients would spread their first retry.", func(i *node.Info) float64 { return i.Window.Seconds() }),
	gauge("draining", "1 while the server moves its clients away.", func(i *node.Info) float64 {
		if i.Draining {
			return 1
		}
		return 0
	}),
	gauge("uptime_seconds", "Since the node was started.", func(i *node.Info) float64 { return i.Uptime.Seconds() }),
	total("publications_total", "Publications and state changes that reached the hub.", func(i *node.Info) float64 { return float64(i.Counters.Publications) }),
	total("deliveries_total", "Publications handed to sessions.", func(i *node.Info) float64 { return float64(i.Counters.Deliveries) }),
}

func (c *nodeCollector) Describe(out chan<- *prometheus.Desc) {
	for _, figure := range nodeFigures {
		out <- figure.description
	}
}

func (c *nodeCollector) Collect(out chan<- prometheus.Metric) {
	info := c.info()
	for _, figure := range nodeFigures {
		out <- prometheus.MustNewConstMetric(figure.description, figure.kind, figure.value(&info))
	}
}
