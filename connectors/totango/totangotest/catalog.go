package totangotest

import (
	"net/http"
)

func (s *Server) defaultFlow() string {
	for _, f := range s.flows {
		if f.Default {
			return f.ID
		}
	}
	return ""
}

// touchpointTypes answers GET /api/v3/touchpoint-types/.
func (s *Server) touchpointTypes(*call) *answer {
	list := make([]map[string]any, 0, len(s.types))
	for i, t := range s.types {
		list = append(list, map[string]any{
			"id": t.ID, "display_name": t.Name, "icon": "icon-meeting", "is_default": i == 0, "non_editable": false, "used": true,
			"created_at": 1_600_000_000_000, "created_by": "", "updated_at": nil, "updated_by": nil,
		})
	}
	return jsonAnswer(http.StatusOK, list)
}

// touchpointTags answers GET /api/v3/touchpoint-tags/.
func (s *Server) touchpointTags(*call) *answer {
	list := make([]map[string]any, 0, len(s.tags))
	for _, t := range s.tags {
		list = append(list, map[string]any{"id": t.ID, "display_name": t.Name, "name": t.Name})
	}
	return jsonAnswer(http.StatusOK, list)
}

// activityTypes answers GET /api/v3/activity-types/.
func (s *Server) activityTypes(*call) *answer {
	byID := map[string]any{}
	for _, f := range s.flows {
		byID[f.ID] = map[string]any{
			"activity_type_id": f.ID, "display_name": f.Name, "num_of_activities_assign_to": 0, "icon_class": "icon-" + f.ID,
			"system_type": true, "default_type": f.Default, "disabled": f.Disabled,
		}
	}
	return jsonAnswer(http.StatusOK, byID)
}

// domains answers GET /domains/.
func (s *Server) domains(c *call) *answer {
	if c.text("service_id") != s.serviceID() {
		return failure(http.StatusNotFound, "not_found", "Service not found")
	}
	site := "t01"
	if s.opts.EU {
		site = "t11"
	}
	return jsonAnswer(http.StatusOK, map[string]any{"service_id": s.serviceID(), "site": site})
}

// oauthToken answers the client credentials grant.
func (s *Server) oauthToken(c *call) *answer {
	id, secret := c.client[0], c.client[1]
	known, ok := s.opts.OAuthClients[id]
	if id == "" || secret == "" || len(s.opts.OAuthClients) > 0 && (!ok || known != secret) {
		return jsonAnswer(http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
	}
	if c.text("grant_type") != "client_credentials" {
		return jsonAnswer(http.StatusBadRequest, map[string]string{"error": "unsupported_grant_type"})
	}
	token := guid(s.serviceID(), "bearer", id)
	s.bearers[token] = true
	return jsonAnswer(http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 3600})
}
