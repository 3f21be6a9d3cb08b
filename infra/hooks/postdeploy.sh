#!/bin/sh
# Runs after `azd deploy`: waits until the app is ready, and says how to make the first key.
set -eu

attempts=${READY_ATTEMPTS:-60}
pause=${READY_PAUSE_SECONDS:-5}

# azd sets it out of the outputs of main.bicep
: "${SERVICE_API_URI:?run this with azd, or set it}"

echo "postdeploy: waiting for $SERVICE_API_URI/health/ready"
answer=
attempt=0
until answer=$(curl --silent --show-error --fail --max-time 20 "$SERVICE_API_URI/health/ready" 2>&1); do
  attempt=$((attempt + 1))
  if [ "$attempt" -ge "$attempts" ]; then
    cat >&2 <<END
postdeploy: the app is not ready after $attempts attempts. The last answer: $answer
New roles take some minutes until they hold. If it stays like this, look at the log:
  az monitor log-analytics query --workspace "\$(azd env get-value AZURE_LOG_ANALYTICS_WORKSPACE_ID)" \\
    --analytics-query "AppTraces | top 50 by TimeGenerated | project TimeGenerated, Message" --output table
and ask the app for details:
  curl -s $SERVICE_API_URI/health -H "X-API-Key: \$(azd env get-value ADMIN_API_KEY)"
END
    exit 1
  fi
  sleep "$pause"
done

echo "postdeploy: $answer"
cat <<END
The app is ready: $SERVICE_API_URI  (its API: $SERVICE_API_URI/docs)

Your first user and key:
  export ADMIN_API_KEY=\$(azd env get-value ADMIN_API_KEY)
  curl -s $SERVICE_API_URI/api/v1/users -H "X-API-Key: \$ADMIN_API_KEY" -d '{"name": "me", "tier": "pro"}'
  curl -s $SERVICE_API_URI/api/v1/users/ID/keys -H "X-API-Key: \$ADMIN_API_KEY" -d '{"name": "first", "scopes": ["read", "submit"]}'
END
