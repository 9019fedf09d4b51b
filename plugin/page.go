package plugin

import (
	"encoding/base64"
	"encoding/json"
)

// EncodePageToken makes a page token of a place in a listing, which is any value that JSON can hold.
func EncodePageToken(place any) string {
	b, err := json.Marshal(place)
	if err != nil {
		panic("plugin: a page token is made of what JSON cannot hold: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// DecodePageToken reads a page token into what place points to, and leaves it as it is for the empty token, which stands for the
// beginning. A token that another version of the connector made is [CodeExpired], upon which the host lists the window anew.
func DecodePageToken(token string, place any) error {
	if token == "" {
		return nil
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(b, place)
	}
	if err != nil {
		return Errorf(CodeExpired, "the page token is not one of this version of the connector")
	}
	return nil
}
