#!/bin/sh
# Runs before `azd provision`: checks what would fail late, and sets what has to stay the same from then on.
set -eu

python=3.13

fail() {
  echo "preprovision: $1" >&2
  exit 1
}

# `azd up` asks for it before it calls this; `azd provision` does not
[ -n "${AZURE_LOCATION:-}" ] || fail "choose a region first: azd env set AZURE_LOCATION <region>"

command -v az >/dev/null || fail "the Azure CLI (az) is not installed: https://aka.ms/installazurecli"
az account show --output none || fail "the Azure CLI is not signed in: run 'az login'"

versions=$(az functionapp list-flexconsumption-runtimes --location "$AZURE_LOCATION" --runtime python \
  --query "[].version" --output tsv) ||
  fail "the region $AZURE_LOCATION does not offer Flex Consumption: see 'az functionapp list-flexconsumption-locations'"
printf '%s\n' "$versions" | grep -qx "$python" ||
  fail "the region $AZURE_LOCATION offers Python $(echo $versions), not $python: choose another with 'azd env set AZURE_LOCATION'"

if [ "${USE_PRIVATE_NETWORK:-false}" = true ]; then
  state=$(az provider show --namespace Microsoft.App --query registrationState --output tsv) ||
    fail "the state of the resource provider Microsoft.App cannot be read"
  if [ "$state" != Registered ]; then
    echo "preprovision: registering the resource provider Microsoft.App, which Flex Consumption needs in a network"
    az provider register --namespace Microsoft.App --wait || fail "Microsoft.App cannot be registered"
  fi
fi

if [ -z "${ADMIN_API_KEY:-}" ]; then
  key=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
  azd env set ADMIN_API_KEY "$key"
  echo "preprovision: made a key for the administrator; 'azd env get-value ADMIN_API_KEY' shows it"
elif [ "${#ADMIN_API_KEY}" -lt 32 ]; then
  fail "ADMIN_API_KEY has ${#ADMIN_API_KEY} characters; it must have at least 32, because it may do everything"
fi
# azd writes it into JSON as it is, and people copy it into commands
case "${ADMIN_API_KEY:-}" in
  *[!A-Za-z0-9._~+/=-]*) fail "ADMIN_API_KEY may have only letters, digits and the characters . _ ~ + / = -" ;;
esac

# a budget keeps the month in which it began
if [ -z "${BUDGET_START:-}" ]; then
  azd env set BUDGET_START "$(date -u +%Y-%m-01)"
fi
