package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// description is what a connector offers, prepared for the checks of many jobs.
type description struct {
	*plugin.DescribeResponse
	streams map[string]*stream
	objects map[string]*plugin.Object
}

// stream is a stream with its types converted.
type stream struct {
	*plugin.Stream
	fields []plan.Field
	record cty.Type
}

// newDescription checks a description as far as this package depends on it.
func newDescription(d *plugin.DescribeResponse) (*description, error) {
	if d == nil {
		return nil, errors.New("it is empty")
	}
	out := &description{DescribeResponse: d, streams: map[string]*stream{}, objects: map[string]*plugin.Object{}}
	if err := checkAttributes(d.Config); err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	for _, a := range d.Config {
		if a.Name == "description" {
			return nil, errors.New("config: an attribute is named description, which every connection has already")
		}
	}
	for i := range d.Streams {
		s := &stream{Stream: &d.Streams[i]}
		if err := checkFields(s.Fields); err != nil {
			return nil, fmt.Errorf("stream %s: %w", s.Name, err)
		}
		if !hclsyntax.ValidIdentifier(s.Record) {
			return nil, fmt.Errorf("stream %s: %q cannot be the name of a record in expressions", s.Name, s.Record)
		}
		s.fields = planType(plugin.StructOf(s.Fields...)).Fields
		s.record = objectType(s.fields)
		out.streams[s.Name] = s
	}
	for i := range d.Objects {
		o := &d.Objects[i]
		if err := checkAttributes(o.Attributes); err != nil {
			return nil, fmt.Errorf("object %s: %w", o.Name, err)
		}
		if slices.Contains(attributeNames(o.Attributes), argOverride) {
			return nil, fmt.Errorf("object %s: an attribute is named %s, which every map block has already", o.Name, argOverride)
		}
		out.objects[o.Name] = o
	}
	return out, nil
}

func checkAttributes(attrs []plugin.Attribute) error {
	seen := map[string]bool{}
	for _, a := range attrs {
		if !hclsyntax.ValidIdentifier(a.Name) || seen[a.Name] {
			return fmt.Errorf("attribute %q is malformed or there twice", a.Name)
		}
		seen[a.Name] = true
		if err := checkType(a.Type); err != nil {
			return fmt.Errorf("attribute %s: %w", a.Name, err)
		}
		if a.Default != nil {
			if _, err := defaultValue(a); err != nil {
				return fmt.Errorf("attribute %s: default: %w", a.Name, err)
			}
		}
	}
	return nil
}

func checkFields(fields []plugin.Field) error {
	seen := map[string]bool{}
	for _, f := range fields {
		if !hclsyntax.ValidIdentifier(f.Name) || seen[f.Name] {
			return fmt.Errorf("field %q is malformed or there twice", f.Name)
		}
		seen[f.Name] = true
		if err := checkType(f.Type); err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	return nil
}

func checkType(t plugin.Type) error {
	switch t.Kind {
	case plugin.KindString, plugin.KindInt, plugin.KindNumber, plugin.KindBool, plugin.KindTime, plugin.KindAny:
		return nil
	case plugin.KindList:
		if t.Elem == nil || t.Elem.Kind == plugin.KindAny {
			return errors.New("a list without a type of element")
		}
		return checkType(*t.Elem)
	case plugin.KindStruct:
		return checkFields(t.Fields)
	default:
		return fmt.Errorf("unknown kind %q", t.Kind)
	}
}

// defaultValue returns the value of an attribute's default.
func defaultValue(a plugin.Attribute) (cty.Value, error) {
	if !json.Valid(a.Default) {
		return cty.NilVal, errors.New("not valid JSON")
	}
	return fromJSON(parseJSON(a.Default), planType(a.Type))
}

func names[T any](list []T, name func(*T) string) []string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = name(&list[i])
	}
	return out
}

func streamNames(d *description) []string {
	return names(d.Streams, func(s *plugin.Stream) string { return s.Name })
}

func objectNames(d *description) []string {
	return names(d.Objects, func(o *plugin.Object) string { return o.Name })
}

func attributeNames(attrs []plugin.Attribute) []string {
	return names(attrs, func(a *plugin.Attribute) string { return a.Name })
}
