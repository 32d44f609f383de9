"""The Web Connector's side: the conversation, and what each activity means in QuickBooks."""
