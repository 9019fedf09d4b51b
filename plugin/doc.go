// Package plugin is the connector SDK: the only package that the author of a connector imports.
package plugin
