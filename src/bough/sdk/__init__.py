"""Branch's SDK wire protocol (contract/sdk.md): what apps and pages with Branch's own SDKs send and are told."""
