package sandbox

import (
	"strings"
	"time"
)

// longText is how much a text holds that no touchpoint can: Totango takes 12,000 characters.
const longText = 14_000

// text writes what Gong would: a few scenes of the theme, told in the brief, as key points, and as next steps.
func (d *draft) text() Text {
	var t Text
	rng := d.g.rng
	scenes := rng.Perm(len(d.theme.scenes))
	scenes = scenes[:min(len(scenes), 3+rng.IntN(3))]

	d.words.draw()
	brief := []string{d.words.fill(d.theme.opening)}
	for i, n := range scenes {
		s := d.theme.scenes[n]
		d.words.draw()
		if i < 3 {
			brief = append(brief, d.words.fill(s.brief))
		}
		t.KeyPoints = append(t.KeyPoints, d.words.fill(s.point))
		if s.step != "" && i < 4 {
			t.NextSteps = append(t.NextSteps, d.words.fill(s.step))
		}
	}
	d.words.draw()
	brief = append(brief, d.words.fill(d.theme.closing))
	t.Brief = strings.Join(brief, " ")
	if d.long {
		t.KeyPoints = d.lengthen(t.KeyPoints)
	}
	d.parts(&t)
	return t
}

// lengthen adds key points of all themes, in several scripts, until they are too long for a touchpoint.
func (d *draft) lengthen(points []string) []string {
	talks := append([]*theme{&germanTalk, &frenchTalk, &spanishTalk, &japaneseTalk}, themes...)
	for runes := 0; runes < longText; {
		s := pick(d.g.rng, pick(d.g.rng, talks).scenes)
		d.words.draw()
		point := d.words.fill(s.point) + " " + d.words.fill(s.brief) + " 📦"
		points = append(points, point)
		runes += len([]rune(point))
	}
	return points
}

// parts divides the call into an agenda, an outline and topics, which Gong does not find in every call.
func (d *draft) parts(t *Text) {
	rng := d.g.rng
	names := make([]string, len(d.theme.agenda))
	for i, n := range d.theme.agenda {
		names[i] = d.words.fill(n)
	}
	if d.g.chance(35) {
		t.Agenda = divide(names, d.m.Duration)
	}
	t.Outline = divide(names, d.m.Duration)
	for i, point := range t.KeyPoints {
		section := &t.Outline[i%len(t.Outline)]
		section.Items = append(section.Items, point)
	}
	if d.g.chance(15) {
		return // no topics
	}
	for _, name := range workspaceTopics {
		topic := Section{Name: name}
		if d.g.chance(45) {
			topic.Duration = time.Duration(20+rng.IntN(400)) * time.Second
		}
		t.Topics = append(t.Topics, topic)
	}
}

// divide cuts a duration into named parts.
func divide(names []string, whole time.Duration) []Section {
	parts := make([]Section, len(names))
	for i, n := range names {
		parts[i] = Section{Name: n, Duration: (whole / time.Duration(len(names))).Truncate(time.Second)}
	}
	return parts
}
