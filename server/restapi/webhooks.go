package restapi

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"holdfast/server/outbox"
)

// OneWebhook is in the path of every operation about one.
type OneWebhook struct {
	Workspace
	Endpoint string `path:"endpoint" maxLength:"64" doc:"The webhook's id"`
}

type wishInput struct {
	Workspace
	Body outbox.Wish
}

type changeInput struct {
	OneWebhook
	Body outbox.Wish
}

type deliveriesInput struct {
	OneWebhook
	Below int64 `query:"below" minimum:"0" doc:"Only deliveries before this one: the last id of the page before"`
	Limit int   `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

type deliveryInput struct {
	OneWebhook
	Delivery int64 `path:"delivery" minimum:"1"`
}

type replayInput struct {
	OneWebhook
	Body struct {
		Since time.Time `json:"since" doc:"Every event from then on is sent once more, in order and under its own webhook-id"`
	}
}

// Replayed is how many events are sent once more. At 1000 there may be more: replay again from the last one.
type Replayed struct {
	Events int `json:"events"`
}

// webhookRoutes are a workspace's webhooks (Standard Webhooks 1.0.0).
func (s *service) webhookRoutes(api huma.API) {
	o := s.Outbox
	describeEvents(api)
	const at, one = "/webhooks", "/webhooks/{endpoint}"
	list := func(ctx context.Context, in Workspace) ([]outbox.Endpoint, error) {
		return o.Endpoints(ctx, string(in.Tenant()))
	}
	handle(s, api, huma.Operation{OperationID: "listWebhooks", Method: http.MethodGet, Path: at, Summary: "Addresses that are told what happens"}, list)
	handle(s, api, huma.Operation{OperationID: "addWebhook", Method: http.MethodPost, Path: at, Summary: "Add an address; the answer has its secret, which is not shown again",
		Description: "Events are sent by Standard Webhooks 1.0.0: check webhook-signature over \"id.timestamp.body\" with the secret (whsec_…), and drop what came before under the same webhook-id. " +
			"They come in order. What is not answered with 2xx within 15 seconds is tried again over three days; then, or at once after 410, the address is switched off."},
		func(ctx context.Context, in wishInput) (outbox.Endpoint, error) {
			return o.Add(ctx, string(in.Tenant()), in.Body)
		})
	handle(s, api, huma.Operation{OperationID: "changeWebhook", Method: http.MethodPut, Path: one, Summary: "Change an address, or switch it on or off"},
		func(ctx context.Context, in changeInput) (outbox.Endpoint, error) {
			return o.Change(ctx, string(in.Tenant()), in.Endpoint, in.Body)
		})
	handle(s, api, huma.Operation{OperationID: "removeWebhook", Method: http.MethodDelete, Path: one, Summary: "Remove an address and the log of what it got"},
		func(ctx context.Context, in OneWebhook) ([]outbox.Endpoint, error) {
			if err := o.Drop(ctx, string(in.Tenant()), in.Endpoint); err != nil {
				return nil, err
			}
			return list(ctx, in.Workspace)
		})
	handle(s, api, huma.Operation{OperationID: "rotateWebhookSecret", Method: http.MethodPost, Path: one + "/secret", Summary: "Make a new secret; for a day the old one signs too"},
		func(ctx context.Context, in OneWebhook) (outbox.Endpoint, error) {
			return o.Rotate(ctx, string(in.Tenant()), in.Endpoint)
		})
	handle(s, api, huma.Operation{OperationID: "listWebhookDeliveries", Method: http.MethodGet, Path: one + "/deliveries", Summary: "What was sent to an address, the newest first"},
		func(ctx context.Context, in deliveriesInput) ([]outbox.Delivery, error) {
			return o.Deliveries(ctx, string(in.Tenant()), in.Endpoint, in.Below, in.Limit)
		})
	handle(s, api, huma.Operation{OperationID: "getWebhookDelivery", Method: http.MethodGet, Path: one + "/deliveries/{delivery}", Summary: "One delivery with its tries"},
		func(ctx context.Context, in deliveryInput) (outbox.Delivery, error) {
			return o.Delivery(ctx, string(in.Tenant()), in.Endpoint, in.Delivery)
		})
	handle(s, api, huma.Operation{OperationID: "resendWebhookDelivery", Method: http.MethodPost, Path: one + "/deliveries/{delivery}/resend", Summary: "Send one event once more"},
		func(ctx context.Context, in deliveryInput) (outbox.Delivery, error) {
			if err := o.Resend(ctx, string(in.Tenant()), in.Endpoint, in.Delivery); err != nil {
				return outbox.Delivery{}, err
			}
			return o.Delivery(ctx, string(in.Tenant()), in.Endpoint, in.Delivery)
		})
	handle(s, api, huma.Operation{OperationID: "replayWebhook", Method: http.MethodPost, Path: one + "/replay", Summary: "Send every event since a moment once more"},
		func(ctx context.Context, in replayInput) (Replayed, error) {
			n, err := o.Replay(ctx, string(in.Tenant()), in.Endpoint, in.Body.Since)
			return Replayed{n}, err
		})
}

// describeEvents says in the description of the API what webhooks get.
func describeEvents(api huma.API) {
	doc := api.OpenAPI()
	header := func(name, text string) *huma.Param {
		return &huma.Param{Name: name, In: "header", Required: true, Description: text, Schema: &huma.Schema{Type: "string"}}
	}
	doc.Webhooks = map[string]*huma.PathItem{"event": {Post: &huma.Operation{
		OperationID: "event", Summary: "Something happened in a workspace's billing", Tags: []string{"Billing"}, Security: []map[string][]string{},
		Parameters: []*huma.Param{
			header("webhook-id", "The event's id, the same however often it is sent"),
			header("webhook-timestamp", "When it was sent: Unix seconds"),
			header("webhook-signature", "\"v1,\" and the HMAC-SHA256 of id.timestamp.body in Base64; several while a secret is being replaced, separated by spaces"),
		},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json": {Schema: doc.Components.Schemas.Schema(reflect.TypeFor[outbox.Message](), true, "Message")}}},
		Responses: map[string]*huma.Response{
			"2XX": {Description: "It arrived. Anything else is tried again."},
			"410": {Description: "No more events are wanted: the address is switched off."},
		},
	}}}
}
