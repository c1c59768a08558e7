module setbytes.example/worker

go 1.23

require (
	github.com/getsentry/sentry-go v0.31.1
	github.com/jackc/pgx/v5 v5.7.2
	github.com/slack-go/slack v0.15.0
)

require golang.org/x/text v0.21.0 // indirect
