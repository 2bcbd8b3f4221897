package harness

import (
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ramp is for the bars of a group: one hue, light to dark, so that it reads in grey too.
var ramp = []color.Color{
	color.RGBA{0x9e, 0xca, 0xe1, 0xff}, color.RGBA{0x6b, 0xae, 0xd6, 0xff}, color.RGBA{0x42, 0x92, 0xc6, 0xff},
	color.RGBA{0x21, 0x71, 0xb5, 0xff}, color.RGBA{0x08, 0x51, 0x9c, 0xff}, color.RGBA{0x08, 0x30, 0x6b, 0xff},
}

// rampOurs is the same for our own bars.
var rampOurs = []color.Color{
	color.RGBA{0xfc, 0xbb, 0xa1, 0xff}, color.RGBA{0xfc, 0x92, 0x72, 0xff}, color.RGBA{0xfb, 0x6a, 0x4a, 0xff},
	color.RGBA{0xde, 0x2d, 0x26, 0xff}, color.RGBA{0xa5, 0x0f, 0x15, 0xff}, color.RGBA{0x67, 0x00, 0x0d, 0xff},
}

// hues are for curves, which also differ in their marks.
var hues = map[string]color.Color{
	Floor: color.Gray{0x80}, "bellwire": color.RGBA{0xd6, 0x27, 0x28, 0xff}, "centrifuge": color.RGBA{0x1f, 0x77, 0xb4, 0xff},
	"bellwire-reactor": color.RGBA{0x8b, 0x00, 0x12, 0xff}, "gws": color.RGBA{0x1f, 0x77, 0xb4, 0xff}, "gorilla": color.RGBA{0x2c, 0xa0, 0x2c, 0xff},
	"fasthttp": color.RGBA{0x8c, 0x56, 0x4b, 0xff}, "nbio": color.RGBA{0x94, 0x67, 0xbd, 0xff}, "coder": color.RGBA{0xff, 0x7f, 0x0e, 0xff},
	"bellwire-sse": color.RGBA{0x8b, 0x00, 0x12, 0xff}, "centrifuge-sse": color.RGBA{0x94, 0x67, 0xbd, 0xff},
	"gobwas": color.RGBA{0x17, 0xbe, 0xcf, 0xff}, "centrifuge-tuned": color.RGBA{0x17, 0xbe, 0xcf, 0xff}, "nats": color.RGBA{0x2c, 0xa0, 0x2c, 0xff}, "ws-node": color.RGBA{0xff, 0x7f, 0x0e, 0xff},
}

func hue(name string) color.Color {
	if c, known := hues[name]; known {
		return c
	}
	return color.Black // an earlier build
}

var marks = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.BoxGlyph{}, draw.TriangleGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}, draw.SquareGlyph{},
	draw.PlusGlyph{}, draw.CrossGlyph{},
}

// farApart is the quotient of two values from which on a scale is in powers.
const farApart = 8

// draw makes the plot of a section.
func (t *table) draw(path string, s *section) error {
	if s.curve != "" {
		return t.curves(path, s)
	}
	return t.bars(path, s)
}

// limits returns the smallest and the largest positive value of the rows that are drawn.
func limits(rows []row, columns []int) (least, most float64) {
	least = math.Inf(1)
	for _, row := range rows {
		for _, c := range columns {
			if v := row.figures[c].Median; row.figures[c].Rounds > 0 && v > 0 {
				least, most = min(least, v), max(most, v)
			}
		}
	}
	return least, most
}

// powers is a logarithmic scale on which bars, which begin at zero, begin at the bottom.
type powers struct{}

// Normalize implements plot.Normalizer.
func (powers) Normalize(bottom, top, x float64) float64 {
	return plot.LogScale{}.Normalize(bottom, top, max(x, bottom))
}

// steps marks a scale in powers at 1, 2 and 5 times each of ten.
type steps struct{}

// Ticks implements plot.Ticker.
func (steps) Ticks(bottom, top float64) (ticks []plot.Tick) {
	if bottom <= 0 {
		return nil
	}
	for decade := math.Pow(10, math.Floor(math.Log10(bottom))); decade <= top; decade *= 10 {
		for _, m := range []float64{1, 2, 5} {
			if v := decade * m; v >= bottom*0.999 && v <= top*1.001 {
				ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'f', -1, 64)})
			}
		}
	}
	return ticks
}

// even marks a scale from zero at about five round values.
type even struct{}

// Ticks implements plot.Ticker.
func (even) Ticks(_, top float64) (ticks []plot.Tick) {
	if top <= 0 || math.IsInf(top, 0) {
		return nil
	}
	step := math.Pow(10, math.Floor(math.Log10(top/4)))
	for _, m := range []float64{5, 2} {
		if top/(step*m) >= 4 {
			step *= m
			break
		}
	}
	for i := 0.0; i*step <= top; i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: strconv.FormatFloat(i*step, 'g', 6, 64)})
	}
	return ticks
}

// axis lets the vertical axis hold what is between least and most. It reports whether it is in powers.
func axis(p *plot.Plot, least, most float64) bool {
	if most <= farApart*least {
		p.Y.Tick.Marker = even{}
		p.Y.Min, p.Y.Max = 0, most*1.1
		return false
	}
	p.Y.Scale = powers{}
	p.Y.Tick.Marker = steps{}
	p.Y.Min, p.Y.Max = least/1.5, most*1.3
	return true
}

func newPlot(s *section) *plot.Plot {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	p := plot.New()
	p.Title.Text = s.title
	p.Title.Padding = vg.Points(8)
	p.BackgroundColor = color.White
	p.Y.Label.Text = s.unit
	if s.floor != "" {
		p.Y.Label.Text = "ratio to the floor"
	}
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal.Color = color.Gray{0xdd}
	p.Add(grid)
	return p
}

// bars draws a group for each contender.
func (t *table) bars(path string, s *section) error {
	var rows []row
	for _, r := range t.rows {
		if r.name != floorRow && r.name != control {
			rows = append(rows, r)
		}
	}
	columns := []int{s.plotted}
	if s.columns == nil {
		columns = nil
		for i := range t.columns {
			columns = append(columns, i)
		}
	}
	p := newPlot(s)
	if s.columns != nil {
		p.Y.Label.Text = t.columns[s.plotted]
	}
	least, most := limits(rows, columns)
	if most == 0 {
		return nil
	}
	var names []string
	for _, r := range rows {
		names = append(names, r.name)
	}
	p.NominalX(names...)
	width := min(vg.Points(66)/vg.Length(len(columns)), vg.Points(44))
	for i, c := range columns {
		all, ours := make(plotter.Values, len(rows)), make(plotter.Values, len(rows))
		for k, r := range rows {
			value := max(r.figures[c].Median, 0)
			all[k] = value
			if isOurs(r.name) {
				all[k], ours[k] = 0, value
			}
		}
		shade := (i * len(ramp)) / len(columns)
		if len(columns) == 1 {
			shade = len(ramp) / 2
			if err := write(p, rows, c); err != nil {
				return err
			}
		}
		for _, chart := range []struct {
			values plotter.Values
			color  color.Color
			named  bool
		}{{all, ramp[shade], len(columns) > 1}, {ours, rampOurs[shade], false}} {
			bars, err := plotter.NewBarChart(chart.values, width)
			if err != nil {
				return err
			}
			bars.LineStyle.Width = 0
			bars.Color = chart.color
			bars.Offset = width * vg.Length(float64(i)-float64(len(columns)-1)/2)
			p.Add(bars)
			if chart.named {
				p.Legend.Add(t.columns[c], bars)
			}
		}
	}
	p.X.Min, p.X.Max = -0.5, float64(len(rows))-0.5
	powered := axis(p, least, most) // after the bars, which widen it to zero
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.ThumbnailWidth, p.Legend.Padding = vg.Points(10), vg.Points(2)
	if s.floor != "" { // the floor itself
		line := plotter.NewFunction(func(float64) float64 { return 1 })
		line.Color = color.RGBA{0xd6, 0x27, 0x28, 0xff}
		line.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
		p.Add(line)
	}
	if room := float64(len(columns)) * 0.07; len(columns) > 1 { // for the legend
		if powered {
			p.Y.Max *= math.Pow(p.Y.Max/p.Y.Min, room)
		} else {
			p.Y.Max *= 1 + room
		}
	}
	return p.Save(vg.Length(len(rows))*vg.Points(88)+vg.Points(80), vg.Points(300), path)
}

// write puts the values of a column above its bars.
func write(p *plot.Plot, rows []row, column int) error {
	var labels plotter.XYLabels
	for k, r := range rows {
		if f := r.figures[column]; f.Rounds > 0 {
			labels.XYs = append(labels.XYs, plotter.XY{X: float64(k), Y: f.Median})
			labels.Labels = append(labels.Labels, number(f.Median))
		}
	}
	l, err := plotter.NewLabels(labels)
	if err != nil {
		return err
	}
	for i := range l.TextStyle {
		l.TextStyle[i].XAlign, l.TextStyle[i].Font.Variant = draw.XCenter, "Sans"
	}
	l.Offset.Y = vg.Points(3)
	p.Add(l)
	return nil
}

// curves draws a line for each contender over the numbers that head the columns.
func (t *table) curves(path string, s *section) error {
	p := newPlot(s)
	p.X.Label.Text = s.curve
	var columns []int
	for i, column := range t.columns {
		if _, err := strconv.ParseFloat(column, 64); err == nil {
			columns = append(columns, i)
		}
	}
	least, most := limits(t.rows, columns)
	if most == 0 {
		return nil
	}
	p.X.Scale = plot.LogScale{}
	var ticks plot.ConstantTicks
	for _, c := range columns {
		x, _ := strconv.ParseFloat(t.columns[c], 64)
		ticks = append(ticks, plot.Tick{Value: x, Label: t.columns[c]})
	}
	p.X.Tick.Marker = ticks
	for i, row := range t.rows {
		if row.name == control {
			continue
		}
		var points plotter.XYs
		for _, c := range columns {
			x, _ := strconv.ParseFloat(t.columns[c], 64)
			if f := row.figures[c]; f.Rounds > 0 && f.Median > 0 {
				points = append(points, plotter.XY{X: x, Y: f.Median})
			}
		}
		if len(points) == 0 {
			continue
		}
		line, glyphs, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		line.Color, line.Width = hue(row.name), vg.Points(1.5)
		glyphs.Color, glyphs.Radius, glyphs.Shape = hue(row.name), vg.Points(3.5), marks[i%len(marks)]
		p.Add(line, glyphs)
		p.Legend.Add(row.name+"  ", line, glyphs)
	}
	if p.X.Min > p.X.Max { // no line: the first measurements were too small to be seen
		return nil
	}
	axis(p, least, most)
	p.Legend.Top, p.Legend.Padding, p.Legend.ThumbnailWidth = true, vg.Points(4), vg.Points(28)
	p.X.Max *= math.Pow(p.X.Max/p.X.Min, 0.45) // for the legend
	return p.Save(vg.Points(520), vg.Points(300), path)
}
