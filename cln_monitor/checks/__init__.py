"""What the Nagios and Icinga plugins share; each plugin is a module here and a script in ``plugins/``."""
