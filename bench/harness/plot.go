package harness

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// colors of groups of bars: the ramp of one hue, light to dark, so that it reads in grey too.
var colors = []color.Color{
	color.RGBA{0x9e, 0xca, 0xe1, 0xff}, color.RGBA{0x6b, 0xae, 0xd6, 0xff}, color.RGBA{0x42, 0x92, 0xc6, 0xff},
	color.RGBA{0x21, 0x71, 0xb5, 0xff}, color.RGBA{0x08, 0x51, 0x9c, 0xff}, color.RGBA{0x08, 0x30, 0x6b, 0xff},
}

// powers is a logarithmic scale on which bars, which begin at zero, begin at the bottom.
type powers struct{}

// Normalize implements plot.Normalizer.
func (powers) Normalize(bottom, top, x float64) float64 {
	return plot.LogScale{}.Normalize(bottom, top, max(x, bottom))
}

// series is one bar of each group.
type series struct {
	name   string
	values []float64
}

// bars draws groups of bars. A scale in powers is used where the largest value is far from the smallest.
func bars(path, title, unit string, groups []string, all []series) error {
	p := plot.New()
	p.Title.Text = title
	p.Y.Label.Text = unit
	p.NominalX(groups...)
	p.Legend.Top, p.Legend.Left = true, true
	smallest, largest := math.Inf(1), 0.0
	for _, s := range all {
		for _, v := range s.values {
			smallest, largest = min(smallest, v), max(largest, v)
		}
	}
	width := vg.Points(56) / vg.Length(len(all))
	bottom := 0.0
	if largest > 20*smallest {
		bottom = smallest / 2
		p.Y.Scale = powers{}
		p.Y.Tick.Marker = plot.LogTicks{Prec: -1}
	}
	for i, s := range all {
		chart, err := plotter.NewBarChart(plotter.Values(s.values), width)
		if err != nil {
			return err
		}
		chart.LineStyle.Width = 0
		chart.Color = colors[i%len(colors)]
		chart.Offset = width * vg.Length(float64(i)-float64(len(all)-1)/2)
		p.Add(chart)
		if len(all) > 1 {
			p.Legend.Add(s.name, chart)
		}
	}
	if bottom > 0 {
		p.Y.Min = bottom
	} else {
		line := plotter.NewFunction(func(float64) float64 { return 1 })
		line.Color = color.Gray{0x60}
		line.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
		p.Add(line)
	}
	p.Y.Max = largest * 1.15
	return p.Save(vg.Length(len(groups))*vg.Points(72)+vg.Points(90), vg.Points(300), path)
}

func (r *Report) plotEcho(path, title string, setting Setting, flight int) error {
	var all []series
	for i, cell := range r.Plan.Echo {
		if cell.Setting == setting && cell.Flight == flight {
			all = append(all, r.series(cell.String(), r.Results.Echo[i]))
		}
	}
	if len(all) == 0 {
		return nil
	}
	return bars(path, title, "ratio", r.Plan.Contenders, all)
}

func (r *Report) plotFan(path, title string, columns []string) error {
	var all []series
	for i, column := range columns {
		all = append(all, r.series(column, r.Results.Fan[i]))
	}
	return bars(path, title, "ratio", r.Plan.Contenders, all)
}

func (r *Report) plotIdle(path, title string) error {
	s := series{name: "bytes"}
	for _, name := range r.Plan.Contenders {
		s.values = append(s.values, max(r.Results.Idle[name].PerConn, 1))
	}
	return bars(path, title, "bytes", r.Plan.Contenders, []series{s})
}

func (r *Report) series(name string, figures map[string]Figure) series {
	s := series{name: name}
	for _, contender := range r.Plan.Contenders {
		s.values = append(s.values, figures[contender].Ratio)
	}
	return s
}
