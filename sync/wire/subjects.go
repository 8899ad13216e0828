// Package wire is what nodes say to each other: subjects and messages.
//
// Browsers live in the NATS account WEB, which has no JetStream. They may publish to rpc.<tenant>.<conn>.* and subscribe
// to feed.<tenant>.* and to their own inbox _INBOX.<tenant>.<conn>.>. Every handler derives the tenant from the subject,
// never from the payload, and refuses a reply subject outside the caller's inbox: permissions do not cover it.
//
// Nodes live in the account CORE, with one JetStream domain per region and leaf links to the hub.
package wire

import (
	"hash/fnv"
	"strconv"
	"strings"

	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// Accounts of the embedded NATS servers.
const (
	AccountWeb  = "WEB"
	AccountCore = "CORE"
)

// HubDomain is the JetStream domain of the hub. A region's domain is the region's name.
const HubDomain = "hub"

// Methods that a browser calls.
const (
	Push     = "push"     // PushRequest → PushReply
	Pull     = "pull"     // PullRequest → PullReply
	Presence = "presence" // PresenceBeat → PresenceReply
)

// Scope of what every member of a workspace reads.
const ScopeAll = "all"

// ScopePresence carries who is here.
const ScopePresence = "presence"

// RPC is the subject on which a connection calls a method.
func RPC(tenant id.ID, conn, method string) string {
	return "rpc." + string(tenant) + "." + conn + "." + method
}

// RPCAll is what an edge subscribes to.
const RPCAll = "rpc.*.*.*"

// ParseRPC splits a subject that RPC made.
func ParseRPC(subject string) (tenant id.ID, conn, method string, err error) {
	p := strings.Split(subject, ".")
	if len(p) != 4 || p[0] != "rpc" || !id.ID(p[1]).Valid() || p[2] == "" {
		return "", "", "", fault.Errorf("wire.ParseRPC", fault.Invalid, "not a call's subject")
	}
	return id.ID(p[1]), p[2], p[3], nil
}

// InboxPrefix is where a connection's replies must go.
func InboxPrefix(tenant id.ID, conn string) string { return "_INBOX." + string(tenant) + "." + conn }

// OwnInbox tells whether a reply subject lies in the caller's inbox.
func OwnInbox(reply string, tenant id.ID, conn string) bool {
	return strings.HasPrefix(reply, InboxPrefix(tenant, conn)+".")
}

// ConnName is what a browser names itself in CONNECT: which workspace it wants, which connection and replica it is. The
// edge believes none of it before it has checked the session's membership.
func ConnName(tenant id.ID, conn string, replica uint64) string {
	return string(tenant) + "/" + conn + "/" + strconv.FormatUint(replica, 16)
}

// ParseConnName reads ConnName's form.
func ParseConnName(name string) (tenant id.ID, conn string, replica uint64, err error) {
	p := strings.Split(name, "/")
	if len(p) == 3 && id.ID(p[0]).Valid() && id.ID(p[1]).Valid() {
		if replica, err = strconv.ParseUint(p[2], 16, 64); err == nil && replica != 0 {
			return id.ID(p[0]), p[1], replica, nil
		}
	}
	return "", "", 0, fault.Errorf("wire.ParseConnName", fault.Invalid, "not a connection's name")
}

// Feed is the subject of live messages of one scope.
func Feed(tenant id.ID, scope string) string { return "feed." + string(tenant) + "." + scope }

// Shards is the number of operation streams in each region. It is part of the protocol: every node must agree.
const Shards = 16

// Shard is the operation stream that carries a tenant.
func Shard(tenant id.ID) int {
	h := fnv.New32a()
	h.Write([]byte(tenant))
	return int(h.Sum32() % Shards)
}

// OpsStream is the name of a region's stream for a shard.
func OpsStream(shard int) string { return "OPS_" + strconv.Itoa(shard) }

// OpsSubject is where a region publishes what it accepted for a tenant: one literal subject per tenant and origin.
func OpsSubject(region string, tenant id.ID) string {
	return "ops." + region + "." + strconv.Itoa(Shard(tenant)) + "." + string(tenant)
}

// OpsSubjects is what the stream of a shard captures.
func OpsSubjects(region string, shard int) string {
	return "ops." + region + "." + strconv.Itoa(shard) + ".*"
}

// Region-to-region and region-to-hub requests in CORE.
const (
	HubHTTP   = "hub.http"   // an HTTP/1.1 request as bytes → an HTTP/1.1 response as bytes
	HubRegion = "hub.region" // a directory.Region as JSON, sent by an edge on link-up and every RegionBeat → "{}" or {"error": a sentence}
)

// Fetch asks a region for a range of its own log of one tenant.
func Fetch(region string) string { return "region." + region + ".fetch" }

// Copy asks a region for a piece of a workspace's rows, by one that lacks what the region's log does not hold any more.
func Copy(region string) string { return "region." + region + ".copy" }

// Heads asks a region for the last sequence of each tenant in its own log.
func Heads(region string) string { return "region." + region + ".heads" }

// Applied tells a region how far another has applied its log: what "everywhere" rests on.
func Applied(region string) string { return "region." + region + ".applied" }

// Here carries presence between regions.
func Here(tenant id.ID) string { return "here." + string(tenant) }

// UsageStream is the stream in each region's domain that the hub reads in order.
const UsageStream = "USAGE"

// UsageSubject is where a region writes a tenant's usage event.
func UsageSubject(region string, tenant id.ID) string {
	return "usage." + region + "." + string(tenant)
}

// DirectoryBucket is the JetStream key-value bucket in the hub's domain; keys are in package directory.
const DirectoryBucket = "DIR"

// Headers of requests that an edge passes on to the hub, and of the answers. Edges set them; those that a client
// sends are dropped.
const (
	HeaderRegion    = "X-Holdfast-Region"    // request: the edge's region
	HeaderClient    = "X-Forwarded-For"      // request: the client's address as the edge saw it, one only
	HeaderRequest   = "X-Request-Id"         // both: names the request in all logs
	HeaderDirectory = "X-Holdfast-Directory" // answer: the directory's revision that holds what the request changed
	HeaderTenant    = "X-Holdfast-Tenant"    // answer: the workspace that the request was for, when its sender may use it
	HeaderBytes     = "X-Holdfast-Bytes"     // answer with a snapshot: its size before compression
)
