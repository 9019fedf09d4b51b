package plugin

import (
	"encoding/json"
	"strings"
	"testing"
)

// valid returns a description that uses what there is.
func valid() *DescribeResponse {
	return &DescribeResponse{
		Name: "crm", Version: "1.0.0", Doc: "A CRM.",
		Config: []Attribute{
			{Name: "region", Type: String, OneOf: []string{"us", "eu"}, Default: json.RawMessage(`"us"`)},
			{Name: "token", Type: String, Required: true, Sensitive: true},
		},
		Streams: []Stream{{
			Name: "calls", Record: "call", MaxRead: 100,
			Fields: []Field{
				{Name: "id", Type: Int, Semantic: MeetingID},
				{Name: "parties", Type: ListOf(StructOf(Field{Name: "email", Type: String, Semantic: ParticipantEmail}))},
			},
		}},
		Objects: []Object{{
			Name: "touchpoint", MaxCreate: 25, ResolvedBy: "account", MaxResolve: 50,
			Attributes: []Attribute{
				{Name: "account", Type: String, Semantic: MeetingAccount},
				{Name: "subject", Type: String, Semantic: MeetingTitle, MaxLength: 100},
			},
		}},
	}
}

func TestValidate(t *testing.T) {
	if err := valid().Validate(); err != nil {
		t.Fatalf("the valid description: %v", err)
	}
	tests := map[string]struct {
		change func(*DescribeResponse)
		want   string // the path of the mistake
	}{
		"name":              {func(d *DescribeResponse) { d.Name = "My CRM" }, "name:"},
		"version":           {func(d *DescribeResponse) { d.Version = "" }, "version:"},
		"nothing offered":   {func(d *DescribeResponse) { d.Streams, d.Objects = nil, nil }, "streams, objects:"},
		"two settings":      {func(d *DescribeResponse) { d.Config[1].Name = "region" }, "config (names):"},
		"setting's name":    {func(d *DescribeResponse) { d.Config[0].Name = "a b" }, "config.a b:"},
		"one_of default":    {func(d *DescribeResponse) { d.Config[0].Default = json.RawMessage(`"mars"`) }, "config.region.default:"},
		"default's type":    {func(d *DescribeResponse) { d.Config[0].Default = json.RawMessage(`1`) }, "config.region.default:"},
		"default's JSON":    {func(d *DescribeResponse) { d.Config[0].Default = json.RawMessage(`us`) }, "config.region.default:"},
		"secret default":    {func(d *DescribeResponse) { d.Config[1].Default = json.RawMessage(`"x"`) }, "config.token.default:"},
		"one_of of int":     {func(d *DescribeResponse) { d.Config[0].Type = Int }, "config.region.one_of:"},
		"locked setting":    {func(d *DescribeResponse) { d.Config[0].Locked = true }, "config.region:"},
		"stream's name":     {func(d *DescribeResponse) { d.Streams[0].Name = "" }, "stream .name:"},
		"record's name":     {func(d *DescribeResponse) { d.Streams[0].Record = "" }, "stream calls.record:"},
		"two streams":       {func(d *DescribeResponse) { d.Streams = append(d.Streams, d.Streams[0]) }, "streams:"},
		"max_read":          {func(d *DescribeResponse) { d.Streams[0].MaxRead = 0 }, "stream calls.max_read:"},
		"no fields":         {func(d *DescribeResponse) { d.Streams[0].Fields = nil }, "stream calls.fields:"},
		"two fields":        {func(d *DescribeResponse) { d.Streams[0].Fields[1].Name = "id" }, "stream calls (names):"},
		"ambiguous":         {func(d *DescribeResponse) { d.Streams[0].Fields[1].Semantic = MeetingID }, "stream calls (semantics):"},
		"no kind":           {func(d *DescribeResponse) { d.Streams[0].Fields[0].Type = Type{} }, "stream calls.id:"},
		"list of nothing":   {func(d *DescribeResponse) { d.Streams[0].Fields[0].Type = Type{Kind: KindList} }, "stream calls.id:"},
		"string of ints":    {func(d *DescribeResponse) { d.Streams[0].Fields[0].Type = Type{Kind: KindString, Elem: &Int} }, "stream calls.id:"},
		"deep name":         {func(d *DescribeResponse) { d.Streams[0].Fields[1].Type.Elem.Fields[0].Name = "é" }, "stream calls.parties[].é:"},
		"max_create":        {func(d *DescribeResponse) { d.Objects[0].MaxCreate = 0 }, "object touchpoint.max_create:"},
		"no attributes":     {func(d *DescribeResponse) { d.Objects[0].Attributes = nil }, "object touchpoint.attributes:"},
		"resolved_by":       {func(d *DescribeResponse) { d.Objects[0].ResolvedBy = "owner" }, "object touchpoint.resolved_by:"},
		"max_resolve":       {func(d *DescribeResponse) { d.Objects[0].MaxResolve = 0 }, "object touchpoint.max_resolve:"},
		"stray max_resolve": {func(d *DescribeResponse) { d.Objects[0].ResolvedBy = "" }, "object touchpoint.max_resolve:"},
		"secret of object":  {func(d *DescribeResponse) { d.Objects[0].Attributes[0].Sensitive = true }, "object touchpoint.account.sensitive:"},
		"negative length":   {func(d *DescribeResponse) { d.Objects[0].Attributes[1].MaxLength = -1 }, "object touchpoint.subject.max_length:"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := valid()
			tt.change(d)
			err := d.Validate()
			if err == nil || !strings.Contains("\n"+err.Error(), "\n"+tt.want) {
				t.Errorf("error %v, want one that begins with %q", err, tt.want)
			}
		})
	}
	d := valid()
	d.Name, d.Version = "", ""
	if lines := strings.Split(d.Validate().Error(), "\n"); len(lines) != 2 {
		t.Errorf("%q, want both mistakes", lines)
	}
	if (*DescribeResponse)(nil).Validate() == nil {
		t.Error("no description is valid")
	}
}

// However wrong a description is, its mistakes fit on a screen and finding them costs no more than reading it.
func TestValidateIsBounded(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	deep := String
	for range 100_000 {
		deep = ListOf(deep)
	}
	tests := map[string]struct {
		change func(*DescribeResponse)
		want   string
	}{
		"a default of a list of nothing": {func(d *DescribeResponse) {
			d.Config[0] = Attribute{Name: "region", Type: Type{Kind: KindList}, Default: json.RawMessage(`[1]`)}
		}, "config.region: the list has no element type"},
		"lists in lists in lists": {func(d *DescribeResponse) { d.Streams[0].Fields[0].Type = deep }, "more than 16 levels deep"},
		"long names everywhere": {func(d *DescribeResponse) {
			d.Name, d.Streams[0].Name, d.Objects[0].Name, d.Objects[0].ResolvedBy = long, long, long, long
			d.Streams[0].Fields[1].Type = StructOf(Field{Name: long}, Field{Name: long, Type: Type{Kind: Kind(long)}})
		}, "name: "},
		"100,000 mistakes": {func(d *DescribeResponse) { d.Streams[0].Fields = make([]Field, 100_000) }, "stream calls.: "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := valid()
			tt.change(d)
			err := d.Validate()
			if err == nil || !strings.Contains(err.Error(), tt.want) || len(err.Error()) > 10_000 {
				t.Errorf("error %.300v, want some lines with %q", err, tt.want)
			}
		})
	}
}

func TestTypeCheck(t *testing.T) {
	person := StructOf(Field{Name: "email", Type: String}, Field{Name: "age", Type: Int})
	tests := []struct {
		typ   Type
		value string
		want  string // the error; empty for none
	}{
		{String, `"x"`, ""},
		{String, ` "x" `, ""},
		{String, `null`, ""},
		{String, `1`, "the value is not of kind string"},
		{String, `"x`, "the value is not valid JSON"},
		{String, ``, "the value is not valid JSON"},
		{Int, `98765432109876543210`, ""},
		{Int, `"98765432109876543210"`, ""},
		{Int, `-7`, ""},
		{Int, `1.0`, "the value is not of kind int"},
		{Int, `1e3`, "the value is not of kind int"},
		{Int, `"7 "`, "the value is not of kind int"},
		{Int, `true`, "the value is not of kind int"},
		{Number, `1e3`, ""},
		{Number, `"1"`, "the value is not of kind number"},
		{Bool, `false`, ""},
		{Bool, `0`, "the value is not of kind bool"},
		{Time, `"2026-03-29T01:59:59.5+02:00"`, ""},
		{Time, `"2026-03-29"`, "the value is not of kind time"},
		{Time, `1774745999`, "the value is not of kind time"},
		{ListOf(Int), `[1,2,null]`, ""},
		{ListOf(Int), `[1,"x"]`, "[1] is not of kind int"},
		{ListOf(Int), `{}`, "the value is not a list"},
		{ListOf(person), `[{"email":"a"},{"email":"b","age":1}]`, ""},
		{ListOf(person), `[{},{"age":"old"}]`, "[1].age is not of kind int"},
		{person, `{"name":"x"}`, `the value has a member "name", which is not described`},
		{person, `[]`, "the value is not a JSON object"},
		{Type{Kind: "colour"}, `"red"`, "the value is not of kind colour"},
	}
	for _, tt := range tests {
		got := ""
		if err := tt.typ.Check(json.RawMessage(tt.value)); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s.Check(%s): %q, want %q", tt.typ.Kind, tt.value, got, tt.want)
		}
	}
}
